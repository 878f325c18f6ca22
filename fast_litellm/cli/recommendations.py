"""`fast-litellm recommendations`: which feature to promote, to leave or to switch off, by this machine's traffic."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fast_litellm.accel import promotion
from fast_litellm.accel.recommendation import NO_DATA, recommend
from fast_litellm.cli import console, evidence, moves

if TYPE_CHECKING:
    from fast_litellm.accel.recommendation import Recommendation
    from fast_litellm.shadow.history import History


@click.command(name="recommendations")
@moves.config_option
@console.json_option
def command(config: Path | None, *, as_json: bool) -> None:
    """
    Say which feature to promote, to leave or to switch off, with the numbers that say so.

    The numbers are those of the ledger, over all processes. Without data nothing is recommended. Nothing is changed:
    `fast-litellm promote` and `fast-litellm pause` do that.
    """
    ledger = evidence.ledger()
    features: dict[str, Any] = ledger.status()["features"]
    found = [_of(ledger, config, name, counts) for name, counts in features.items()]
    if as_json:
        console.print_json({"recommendations": [asdict(one) for one in found]})
    elif found:
        _print(found)
    if not any(one.action != NO_DATA for one in found):
        evidence.say_empty("no feature has been compared", evidence.HOW_TO_BEGIN)


def _of(ledger: History, config: Path | None, name: str, counts: dict[str, Any]) -> Recommendation:
    manager = moves.rules(config, name)
    gate = manager.gate(name)
    position = promotion.assess(ledger, name, manager.plan(name), gate, time.time())
    return recommend(name, counts, position, gate)


def _print(found: list[Recommendation]) -> None:
    made = console.table(("feature", "stage", "do", "because"))
    for one in found:
        made.add_row(one.feature, one.stage or "unknown", one.action, "\n".join((one.why, *one.evidence)))
    console.output().print(made)
