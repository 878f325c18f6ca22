"""
The picture as Prometheus reads it, in its text exposition format 0.0.4.

Label values are feature names and words from fixed sets: no fingerprint, no cell and nothing of a call, so that the
number of series depends on the number of features alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterable, Iterator, Mapping, Tuple

from fast_litellm.shadow.dashboard.model import FeaturePicture, Picture

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
STAGES = ("off", "shadow", "canary", "on", "paused", "blocked")
_QUANTILES = {"0.5": "p50", "0.9": "p90", "0.99": "p99"}
_NS_PER_S = 1_000_000_000
_CELL_STATES = ("certified", "collecting")
_CLASS_STATES = ("new", "confirmed", "waived", "noise")

Sample = Tuple[Mapping[str, str], float]


@dataclass(frozen=True)
class Family:
    """
    One metric.

    Args:
        name: As Prometheus stores it.
        kind: "counter" or "gauge".
        text: What it means.
        samples: Returns labels and value of each of a feature's series; the label `feature` is added.
    """

    name: str
    kind: str
    text: str
    samples: Callable[[FeaturePicture], Iterable[Sample]]


def exposition(picture: Picture) -> str:
    """
    Args:
        picture: What the ledger holds.

    Returns:
        The metrics as text.
    """
    lines = []
    for name, family in document(picture).items():
        lines += [f"# HELP {name} {family['help']}", f"# TYPE {name} {family['type']}"]
        lines += [f"{name}{_labels(one['labels'])} {one['value']:.17g}" for one in family["samples"]]
    return "\n".join(lines) + "\n"


def document(picture: Picture) -> Dict[str, Dict[str, Any]]:
    """
    Args:
        picture: What the ledger holds.

    Returns:
        Metric to `{"type", "help", "samples": [{"labels", "value"}]}`.
    """
    found = {family.name: _described(family, picture.features) for family in FAMILIES}
    whole: Dict[str, Tuple[float, str]] = {"shadow_ledger_up": (not picture.problem, "1 while the ledger can be read.")}
    if picture.heard_at is not None:
        lag = max(picture.at - picture.heard_at, 0.0)
        whole["shadow_ledger_lag_seconds"] = (lag, "Since any process last wrote to the ledger.")
        whole["shadow_processes_silent"] = (picture.silent, "Processes not heard of for a minute that did not end.")
    for name, (value, text) in whole.items():
        found[name] = {"type": "gauge", "help": text, "samples": [{"labels": {}, "value": float(value)}]}
    return found


def _described(family: Family, features: Iterable[FeaturePicture]) -> Dict[str, Any]:
    samples = [
        {"labels": {"feature": feature.name, **labels}, "value": float(value)}
        for feature in features
        for labels, value in family.samples(feature)
    ]
    return {"type": family.kind, "help": family.text, "samples": samples}


def _labels(labels: Mapping[str, str]) -> str:
    inner = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{inner}}}" if inner else ""


def _escaped(value: str) -> str:
    """The three characters the format has escapes for."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _outcomes(feature: FeaturePicture) -> Iterator[Sample]:
    account = feature.account
    counts = {"match": account.matched, "waived": account.waived, "diverged": account.diverged}
    counts.update(sampled_out=account.sampled_out, shed=sum(account.shed.values()))
    for outcome, count in counts.items():
        yield {"outcome": outcome}, count


def _each(label: str, counts: Mapping[str, int]) -> Iterator[Sample]:
    for value, count in counts.items():
        yield {label: value}, count


def _stage(feature: FeaturePicture) -> Iterator[Sample]:
    return _each("stage", {stage: stage == feature.stage for stage in STAGES})


def _classes(feature: FeaturePicture) -> Iterator[Sample]:
    states = [finding.state for finding in feature.classes]
    return _each("state", {state: states.count(state) for state in _CLASS_STATES})


def _cells(feature: FeaturePicture) -> Iterator[Sample]:
    certified = feature.cells.certified
    return _each("state", dict(zip(_CELL_STATES, (certified, feature.cells.total - certified))))


def _bound(feature: FeaturePicture) -> Iterator[Sample]:
    if feature.bound is not None:
        yield {}, feature.bound


def _wait(feature: FeaturePicture) -> Iterator[Sample]:
    if feature.seconds_left is not None:
        yield {}, feature.seconds_left


def _speed(feature: FeaturePicture) -> Iterator[Sample]:
    if feature.speed is not None:
        yield {"quantile": "0.5"}, 1 / feature.speed.factor


def _latency(feature: FeaturePicture) -> Iterator[Sample]:
    for side in ("control", "candidate"):
        found = getattr(feature.latency, side)
        for quantile in _QUANTILES if found is not None else ():
            yield {"side": side, "quantile": quantile}, getattr(found, _QUANTILES[quantile]) / _NS_PER_S


def _cost(feature: FeaturePicture) -> Iterator[Sample]:
    yield {}, feature.latency.cpu_ns / _NS_PER_S


FAMILIES: Tuple[Family, ...] = (
    Family("shadow_calls_total", "counter", "Calls that could have been compared, by what became of them.", _outcomes),
    Family("shadow_shed_total", "counter", "Calls given up, by reason.", lambda f: _each("reason", f.account.shed)),
    Family("shadow_served_total", "counter", "Calls by who answered them.", lambda f: _each("impl", f.served)),
    Family("shadow_divergence_total", "counter", "Unequal comparisons, by kind.", lambda f: _each("kind", f.kinds)),
    Family("shadow_rollbacks_total", "counter", "Taken back, by cause.", lambda f: _each("reason", f.rollbacks)),
    Family("shadow_stage", "gauge", "1 for the stage a feature is at.", _stage),
    Family("shadow_classes", "gauge", "Divergence classes of the present candidate.", _classes),
    Family("shadow_cells", "gauge", "Input cells that were seen.", _cells),
    Family("shadow_rate_upper_bound", "gauge", "The divergence rate that the evidence does not exclude.", _bound),
    Family("shadow_gate_ready", "gauge", "1 when the gate would promote.", lambda f: [({}, f.decision == "promote")]),
    Family("shadow_gate_checks_open", "gauge", "Checks of the gate that do not hold.", lambda f: [({}, len(f.unmet))]),
    Family("shadow_gate_seconds_left", "gauge", "Until the gate would promote, at the present rate.", _wait),
    Family("shadow_latency_ratio", "gauge", "Candidate's time over the control's, from paired runs.", _speed),
    Family("shadow_latency_seconds", "gauge", "What each side took of compared calls, where it ran.", _latency),
    Family("shadow_cpu_seconds", "gauge", "Processor time of the present epoch's comparisons.", _cost),
)
"""Every metric that has the label `feature`."""
