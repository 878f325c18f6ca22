"""`fast-litellm explain FEATURE`: who would serve a call, by which rule and line, and why not the others."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click

from fast_litellm.accel import rules
from fast_litellm.cli import actions, console, evidence, values
from fast_litellm.errors import UnknownFlagError

_BUCKETS = 1_000_000


@click.command(name="explain")
@click.argument("feature")
@click.option("--unit", help="The unit that is hashed, such as a user id.")
@click.option("--attr", "attributes", multiple=True, metavar="NAME=VALUE", help="A fact of the call; may be repeated.")
@click.option("--at", metavar="TIME", help="The moment that ramps look at, such as 2027-01-05T09:00:00Z; else now.")
@click.option(
    "--config", type=click.Path(path_type=Path), help="The rule file; else the one FAST_LITELLM_CONFIG names."
)
@console.json_option
def command(
    feature: str, unit: str | None, attributes: tuple[str, ...], at: str | None, config: Path | None, *, as_json: bool
) -> None:
    """
    Say who would serve a call, and why.

    A value that reads as JSON (3, true, null, "3") is that value, any other is text. Overrides in the environment,
    blocks in the ledger and pauses count, as they do in a running program.
    """
    manager = rules.in_force(config)
    evidence.obey(manager)
    call: dict[str, Any] = {"unit": unit, "attributes": values.attributes(attributes), "at": _moment(at)}
    try:
        explanation = manager.explain(feature, **call)
    except UnknownFlagError as error:
        console.fail(str(error), f"declared are: {', '.join(manager.status()['flags']) or 'none'}", exit_code=2)
    if as_json:
        console.print_json(explanation)
    else:
        _show(explanation, unit)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise click.BadParameter(
            f"expected a time such as 2027-01-05T09:00:00Z, got {text!r}", param_hint="--at"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _show(explanation: dict[str, Any], unit: str | None) -> None:
    decision = explanation["decision"]
    console.write(f"{explanation['flag']} is served by {decision['serve']}\n")
    console.print_fields(
        {
            "because": " ".join(filter(None, (decision["reason"], decision["detail"]))),
            "stage": decision["stage"],
            "compared": "yes" if decision["shadow"] else "no",
            "rule": _matched(explanation),
            "unit": _unit(explanation, unit),
            "bucket": _bucket(explanation["bucket"], decision),
            **_gates(explanation),
            "rules": f"{explanation['file'] or 'built-in defaults'}, revision {explanation['revision']}",
        }
    )
    console.write("")
    _show_rules(explanation)


def _matched(explanation: dict[str, Any]) -> str:
    name = explanation["decision"]["rule"]
    lines = [rule["line"] for rule in explanation["rules"] if rule["name"] == name]
    return f"{name} (line {lines[0]})" if lines else "none matched"


def _unit(explanation: dict[str, Any], unit: str | None) -> str:
    hashed = f'hashed with the salt "{explanation["salt"]}"'
    if unit is None or not explanation["unit"]["explicit_first"]:
        return f"the attribute {explanation['unit']['attribute']}, {hashed}"
    return f"{unit}, {hashed}"


def _bucket(bucket: int | None, decision: dict[str, Any]) -> str:
    if decision["bucket"] is not None:
        bucket = decision["bucket"]  # a ramp with a salt of its own draws another one
    if bucket is None:
        return "none, because the call has no unit"
    place, threshold = f"{bucket:,} of {_BUCKETS:,}", decision["threshold"]
    if threshold is None:
        return f"{place}, not asked for"
    return f"{place}, {'below' if bucket < threshold else 'not below'} the threshold {threshold:,}"


def _gates(explanation: dict[str, Any]) -> dict[str, str]:
    """What stands before the rules: a stop, what other flags must serve, the slot of a layer."""
    gates: dict[str, str] = {}
    standing, layer = explanation["standing"], explanation["layer"]
    if standing["state"] != "running":
        share = f", tried again by {standing['retry'] * 100 / _BUCKETS:g}% of the units" if "retry" in standing else ""
        gates["standing"] = f"{standing['state']}: {standing['cause']}{share}"
    if explanation["requires"]:
        gates["requires"] = "; ".join(map(_requirement, explanation["requires"]))
    if layer is not None:
        found = "the call has no unit" if layer.get("bucket") is None else f"the unit's is {layer['bucket']:,}"
        gates["layer"] = f"{layer['name']}, buckets {layer['begin']:,} to {layer['end'] - 1:,}; {found}"
    return gates


def _requirement(required: dict[str, Any]) -> str:
    found = required["found"]
    because = " ".join(filter(None, (found["reason"], found["detail"])))
    met = "met" if found["serve"] == required["serves"] else "not met"
    return f"{required['flag']} serving {required['serves']}: {met}, it serves {found['serve']} ({because})"


def _show_rules(explanation: dict[str, Any]) -> None:
    table = console.table(("line", "rule", "then", "verdict", "why"), numbers=("line",))
    for rule in explanation["rules"]:
        verdict = rule["verdict"].replace("_", " ")
        why = rule.get("because") or (rule["when"] if verdict == "matched" else "")
        table.add_row(str(rule["line"]), rule["name"], actions.shown(rule), verdict, why)
    line, verdict = str(explanation["otherwise_line"] or ""), _otherwise_verdict(explanation)
    table.add_row(line, "(otherwise)", actions.shown(explanation["otherwise"]), verdict, "")
    console.output().print(table)


def _otherwise_verdict(explanation: dict[str, Any]) -> str:
    asked = explanation["consults_rules"] and all(rule["verdict"] == "not_matched" for rule in explanation["rules"])
    stopped = explanation["decision"]["reason"] == "DISABLED" or explanation["decision"]["detail"] == "layer_excluded"
    return "reached" if asked and not stopped else "not reached"
