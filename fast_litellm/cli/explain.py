"""`fast-litellm explain FEATURE`: who would serve a call, by which rule and line, and why not the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from fast_litellm import settings
from fast_litellm.accel.seams import SEAMS
from fast_litellm.cli import console
from fast_litellm.errors import UnknownFlagError
from fast_litellm.flags import FlagManager

_BUCKETS = 1_000_000


@click.command(name="explain")
@click.argument("feature")
@click.option("--unit", help="The unit that is hashed, such as a user id.")
@click.option("--attr", "attributes", multiple=True, metavar="NAME=VALUE", help="A fact of the call; may be repeated.")
@click.option(
    "--config", type=click.Path(path_type=Path), help="The rule file; else the one FAST_LITELLM_CONFIG names."
)
@console.json_option
def command(feature: str, unit: str | None, attributes: tuple[str, ...], config: Path | None, as_json: bool) -> None:
    """
    Say who would serve a call, and why.

    A value that reads as JSON (3, true, null, "3") is that value, any other is text. Overrides in the environment
    count, as they do in a running program.
    """
    manager = _manager(config)
    try:
        explanation = manager.explain(feature, unit=unit, attributes=_attributes(attributes))
    except UnknownFlagError as error:
        console.fail(str(error), f"declared are: {', '.join(manager.status()['flags']) or 'none'}", exit_code=2)
    if as_json:
        console.print_json(explanation)
    else:
        _show(explanation, unit)


def _manager(config: Path | None) -> FlagManager:
    environment = settings.read()
    path = config or environment.config
    if path is None:
        names = [seam.feature for seam in SEAMS if seam.effect_free]
        return FlagManager.default(names, overrides=environment.flag_overrides, disabled=environment.disable)
    return FlagManager.from_file(path, overrides=environment.flag_overrides, disabled=environment.disable)


def _attributes(words: tuple[str, ...]) -> dict[str, Any]:
    pairs = [word.partition("=") for word in words]
    for name, separator, _ in pairs:
        if not separator or not name:
            raise click.BadParameter(f"expected NAME=VALUE, got {name!r}", param_hint="--attr")
    return {name: _value(text) for name, _, text in pairs}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


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
            "bucket": _bucket(explanation["bucket"], decision["threshold"]),
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


def _bucket(bucket: int | None, threshold: int | None) -> str:
    if bucket is None:
        return "none, because the call has no unit"
    place = f"{bucket:,} of {_BUCKETS:,}"
    if threshold is None:
        return f"{place}, not asked for"
    return f"{place}, {'below' if bucket < threshold else 'not below'} the threshold {threshold:,}"


def _show_rules(explanation: dict[str, Any]) -> None:
    table = console.table(("line", "rule", "then", "verdict", "why"), numbers=("line",))
    for rule in explanation["rules"]:
        verdict = rule["verdict"].replace("_", " ")
        why = rule.get("because") or (rule["when"] if verdict == "matched" else "")
        table.add_row(str(rule["line"]), rule["name"], _action(rule), verdict, why)
    reached = explanation["decision"]["rule"] is None and explanation["consults_rules"]
    table.add_row("", "(otherwise)", _action(explanation["otherwise"]), "reached" if reached else "not reached", "")
    console.output().print(table)


def _action(action: dict[str, Any]) -> str:
    if "serve" in action:
        return str(action["serve"])
    ends = [0, *(end for _, end in action["thresholds"])]
    shares = [(name, end - start) for (name, end), start in zip(action["thresholds"], ends)]
    if ends[-1] < _BUCKETS:
        shares.append(("python", _BUCKETS - ends[-1]))
    return ", ".join(f"{name} {share * 100 / _BUCKETS:g}%" for name, share in shares)
