"""`fast-litellm gate FEATURE`: what the next step takes, what is there, and when the rest will be."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from fast_litellm.cli import console, evidence
from fast_litellm.shadow import checks
from fast_litellm.shadow.gate import Gate, Step

if TYPE_CHECKING:
    from fast_litellm.shadow.gate import Check, Verdict

_WORDS = {
    "promote": "everything holds: the next step may begin",
    "hold": "the next step has to wait",
    "roll_back": "the candidate must not answer: see the check that failed",
}


@click.command(name="gate")
@click.argument("feature")
@console.json_option
def command(feature: str, *, as_json: bool) -> None:
    """
    Say what a promotion of a feature still takes.

    All checks must hold. Times are those at the present rate of distinct inputs. The exit status is 3 when the evidence
    speaks against the candidate.
    """
    ledger: Any = evidence.ledger()
    found = ledger.evidence(feature)
    if found is None:
        evidence.say_empty(f"no comparison of {feature}")
        raise click.exceptions.Exit(1)
    step = Step(since=found.opened_at)
    verdict = Gate().judge(found, step, time.time())
    if as_json:
        console.print_json({"feature": feature, "step": step.name, **_document(verdict)})
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
