"""`fast-litellm audit [FEATURE]`: who changed what, when and why, and whether the trail is whole."""

from __future__ import annotations

from typing import Any

import click

from fast_litellm.cli import console, evidence, names

_WAIVED = "waived:"
_DIGITS = 8
"""Of a fingerprint, as the other commands shorten it."""


@click.command(name="audit")
@click.argument("feature", metavar="[FEATURE]", required=False)
@console.json_option
def command(feature: str | None, *, as_json: bool) -> None:
    """
    Print the audit trail: promotions, rollbacks, pauses, waivers and blocks, of one feature or of all.

    Each entry is chained to the one before by its hash. The exit status is 1 when the chain is broken: something was
    changed, or is missing. --json has the hashes, and the gate's evaluation that each promotion rested on.
    """
    ledger = evidence.ledger()
    trail, broken = ledger.audit(feature), ledger.first_break()
    if feature is not None and not trail and broken is None:
        names.check(feature)
    if as_json:
        console.print_json({"trail": trail, "first_break": broken})
    elif trail:
        _show(trail)
    else:
        evidence.say_empty("no entry in the audit trail", "promotions, pauses and waivers are entered there")
    if broken is not None:
        console.fail(f"the trail is broken at entry {broken}: it was changed, or one before it is missing")


def _show(trail: list[dict[str, Any]]) -> None:
    table = console.table(("#", "when (UTC)", "feature", "from", "to", "who", "why"))
    for entry in trail:
        moved = (entry["from_state"] or "", _state(entry))
        said = (entry["actor"], entry["reason"])
        table.add_row(str(entry["seq"]), evidence.moment(entry["at"]), entry["feature"], *moved, *said)
    console.output().print(table)


def _state(entry: dict[str, Any]) -> str:
    """What it came to, for how long, and whether the gate had said so."""
    state: str = entry["to_state"]
    short = state[: len(_WAIVED) + _DIGITS] if state.startswith(_WAIVED) else state
    until = "" if entry["until"] is None else f" until {evidence.moment(entry['until'])}"
    forced = " (forced)" if (entry["evaluation"] or {}).get("forced") else ""
    return f"{short}{until}{forced}"
