"""`fast-litellm gate FEATURE`: what the next step takes, what is there, and when the rest will be."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fast_litellm.cli import console, evidence, moves, names
from fast_litellm.shadow import checks

if TYPE_CHECKING:
    from fast_litellm.shadow.gate import Check, Verdict

_WORDS = {
    "promote": "everything holds: the next step may begin",
    "hold": "the next step has to wait",
    "roll_back": "the candidate must not answer: see the check that failed",
}


@click.command(name="gate")
@click.argument("feature")
@moves.config_option
@console.json_option
def command(feature: str, config: Path | None, *, as_json: bool) -> None:
    """
    Say what a promotion of a feature still takes.

    All checks must hold. Times are those at the present rate of distinct inputs. The exit status is 3 when the evidence
    speaks against the candidate.
    """
    ledger: Any = evidence.ledger()
    names.check(feature, config)
    position = moves.position(ledger, moves.rules(config, feature), feature)
    verdict, step = position.verdict, position.plan.steps[position.step].name
    if as_json:
        console.print_json({"feature": feature, "step": step, **_document(verdict)})
    else:
        _show(feature, verdict)
    if verdict.decision == "roll_back":
        raise click.exceptions.Exit(evidence.EXIT_BLOCKED)


def _document(verdict: Verdict) -> dict[str, Any]:
    return {
        "decision": verdict.decision,
        "checks": [asdict(check) for check in verdict.checks],
        "certified": sorted(verdict.certified),
    }


def _show(feature: str, verdict: Verdict) -> None:
    console.write(f"{feature}: {_WORDS[verdict.decision]}\n")
    table = console.table(("check", "saw", "needs", "missing", "time left"))
    for check in verdict.checks:
        table.add_row(f"{_mark(check)} {check.name}", check.saw, check.needs, check.missing, _left(check))
    table.columns[0].no_wrap = True
    console.output().print(table)


def _mark(check: Check) -> str:
    if check.is_terminal:
        return "[!]"
    return "[x]" if check.holds else "[ ]"


def _left(check: Check) -> str:
    if check.holds:
        return ""
    return "unknown" if check.seconds_left is None else checks.span(check.seconds_left)
