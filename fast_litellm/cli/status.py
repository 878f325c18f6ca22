"""`fast-litellm status`: what each feature has served, compared and seen differ, over all processes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fast_litellm import settings
from fast_litellm.accel import rules
from fast_litellm.cli import console, evidence
from fast_litellm.cli.stops import stopped
from fast_litellm.errors import RuleError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rich.table import Table


_SILENT = frozenset({"noise", "waived"})
"""States of divergence classes that do not speak against a candidate."""


@click.command(name="status")
@click.option(
    "--config", type=click.Path(path_type=Path), help="The rule file; else the one FAST_LITELLM_CONFIG names."
)
@console.json_option
@click.pass_context
def command(context: click.Context, config: Path | None, as_json: bool) -> None:
    """
    Say what each feature has served, compared and seen differ.

    The counters come from the ledger and are added up over all processes. Exit status 3 when a feature is blocked, or
    stopped on this host or in the fleet.
    """
    ledger = evidence.ledger()
    features: dict[str, Any] = ledger.status()["features"]
    stops = stopped(ledger, config or settings.read().config, features)
    if as_json:
        console.print_json({"features": features, "stops": stops})
    elif features:
        console.output().print(table(features, differing(features, ledger.divergences()), stops))
    if not features:
        evidence.say_empty("no feature has done anything yet", evidence.HOW_TO_BEGIN)
    _say_what_is_wrong(config)
    blocked = [name for name, feature in features.items() if feature["stage"] == "blocked"]
    for name in blocked:
        console.error(f"{name} is blocked: Python answers every call")
        console.hint(f"see what differed with `fast-litellm divergences {name}`")
    for name, stop in stops.items():
        until = f" until {stop['until']}" if stop["until"] else ""
        console.error(f"{name} is stopped ({stop['state']}, {stop['scope']}){until}: Python answers")
        console.hint(f"end it with `fast-litellm resume {name} --scope {stop['scope']}`")
    if blocked or stops:
        context.exit(evidence.EXIT_BLOCKED)


def _say_what_is_wrong(config: Path | None) -> None:
    """Programs that run go on with the rules they had, so that nothing else would show a mistake in the file."""
    try:
        rules.in_force(config)
    except RuleError as error:
        console.error(str(error))
        console.hint("programs that run keep the rules they had until the file is right again")


def differing(features: Mapping[str, Mapping[str, Any]], divergences: Iterable[Mapping[str, Any]]) -> set[str]:
    """
    Args:
        features: As `Ledger.status` returns them.
        divergences: As `Ledger.divergences` returns them.

    Returns:
        The features whose present candidate build has differed; what an earlier build did is not held against them.
    """
    builds = {(name, feature["candidate_build"]) for name, feature in features.items()}
    speaking = (one for one in divergences if one["state"] not in _SILENT)
    found = {(one["feature"], one["candidate_build"]) for one in speaking}
    return {name for name, _ in builds & found}


def table(features: Mapping[str, Mapping[str, Any]], differ: set[str], stops: Mapping[str, Mapping[str, Any]]) -> Table:
    """
    Args:
        features: As `Ledger.status` returns them.
        differ: Those whose present candidate build has differed.
        stops: Those that are stopped at run time, as `stopped` returns them.

    Returns:
        A table of 80 columns with a few lines for each feature.
    """
    made = console.table(("feature", "stage", "served", "shadow", "state"))
    for name, feature in features.items():
        state = "differs" if name in differ else "ok"
        state = "blocked" if feature["stage"] == "blocked" else stops.get(name, {"state": state})["state"]
        made.add_row(name, feature["stage"] or "unknown", _served(feature), _shadow(feature, name in differ), state)
    return made


def _served(feature: Mapping[str, Any]) -> str:
    sides: dict[str, int] = {"python": 0, "rust": 0, **feature["served"]}
    total = sum(sides.values())
    lines = [f"{count:,} {side}{_share(count, total)}" for side, count in sides.items()]
    return "\n".join([*lines, *_declined(feature["declined"])])


def _declined(reasons: Mapping[str, int]) -> list[str]:
    """How many calls a candidate has left to Python, and the reason it had most often."""
    if not reasons:
        return []
    most = max(reasons, key=lambda reason: reasons[reason])
    return [f"{sum(reasons.values()):,} declined", f"({most})" if len(reasons) == 1 else f"(mostly {most})"]


def _share(count: int, total: int) -> str:
    return f" {count / total:.1%}" if total else ""


def _shadow(feature: Mapping[str, Any], differs: bool) -> str:
    """Where every offered call went; what did not happen is left out, except for divergences."""
    whose = "" if differs or not feature["diverged"] else " (none open)"
    optional = {
        "waived": feature["waived"],
        "shed": sum(feature["shed"].values()),
        "sampled out": feature["sampled_out"],
        "in flight": feature["in_flight"],
    }
    return "\n".join(
        (
            f"{feature['offered']:,} offered",
            f"{feature['compared']:,} compared",
            f"{feature['diverged']:,} diverged{whose}",
            *(f"{count:,} {what}" for what, count in optional.items() if count),
        )
    )
