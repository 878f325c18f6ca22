"""What people and the gate decide, on both databases."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from fast_litellm.errors import LedgerError
from fast_litellm.shadow import Epoch, Ledger
from fast_litellm.shadow.evaluations import Evaluation
from fast_litellm.shadow.observation import Comparison, Description, Summary
from fast_litellm.shadow.rollouts import Rollout
from fast_litellm.shadow.waivers import Waiver

EPOCH = Epoch("parser", "build-1", "reference-1", "exact/1", "rules-1")
FIRST = Rollout("parser", "build-1", 1, "running", 1e9, "ada", "enough evidence", frozenset({"size=3", "unicode=rtl"}))
CLASS = "c3" * 16
MOST_LOOKS = 10
OTHER_SHAPE = 2**64 - 1


def count_class(ledger, tally, times):
    """Has a class counted."""
    ledger.attach(EPOCH, tally)
    tally.accept(OTHER_SHAPE).compare("diverged")
    description = Description("value", "$", "$", CLASS, Summary("value", "int"), Summary("value", "int"))
    for _ in range(times):
        ledger.record(Comparison("parser", "build-1", "exact/1", "diverged", description))
    assert ledger.flush()


def test_a_rollout_is_kept_as_it_was_told(open_ledger):
    """Whoever reads it has the same record, and the audit trail says what it rested on."""
    ledger = open_ledger()

    assert {} == ledger.rollouts()
    assert ledger.record_rollout(FIRST, expected=None, evaluation={"decision": "promote"})
    assert {"parser": FIRST} == open_ledger().rollouts()
    (row,) = ledger.audit()
    assert ("step 1 (running)", "ada", "rollout", {"decision": "promote"}) == tuple(
        row[name] for name in ("to_state", "actor", "scope", "evaluation")
    )


def test_a_rollout_is_moved_only_from_where_it_was_seen(open_ledger):
    """A decision that rests on an outdated step, state or build changes nothing, in the audit trail neither."""
    ledger = open_ledger()
    blocked = replace(FIRST, state="blocked", since=1e9 + 1, actor="auto")
    ledger.record_rollout(FIRST, expected=None)
    ledger.record_rollout(blocked, expected=FIRST)

    assert not ledger.record_rollout(replace(FIRST, step=2), expected=FIRST)
    assert not ledger.record_rollout(replace(FIRST, step=0), expected=None)
    assert ({"parser": blocked}, 2, None) == (ledger.rollouts(), len(ledger.audit()), ledger.first_break())


def until_it_is_free(ledger, rollout, expected):
    """As a process does, which looks again when it finds the ledger held for longer than it may wait."""
    for _ in range(MOST_LOOKS):
        with contextlib.suppress(LedgerError):
            return ledger.record_rollout(rollout, expected=expected)
    return ledger.record_rollout(rollout, expected=expected)


def test_two_processes_never_advance_twice(open_ledger):
    """Of eight that come at once from the same step, one advances it; so at each of five steps."""
    ledgers = [open_ledger() for _ in range(8)]
    known = None
    with ThreadPoolExecutor(8) as pool:
        for step in range(5):
            rollouts = [replace(FIRST, step=step, actor=f"process-{number}") for number in range(8)]
            moves = [
                pool.submit(until_it_is_free, ledger, rollout, known) for ledger, rollout in zip(ledgers, rollouts)
            ]
            moved = [rollout for rollout, move in zip(rollouts, moves) if move.result()]
            known = ledgers[0].rollouts()["parser"]
            assert [known] == moved
    assert ([f"step {step} (running)" for step in range(5)], None) == (
        [row["to_state"] for row in ledgers[0].audit()],
        ledgers[0].first_break(),
    )


@pytest.mark.parametrize(
    ("change", "is_waived"),
    [({}, True), ({"max_count": 3}, True), ({"max_count": 2}, False), ({"expires_at": 1.0}, False)],
)
def test_a_waiver_holds_until_it_expires_or_is_used_up(open_ledger, tally, change, is_waived):
    """The evidence says so of its class, and so does its record; the waiver and the audit trail stay."""
    ledger = open_ledger()
    waiver = replace(Waiver(CLASS, "parser", "ada", "a known rounding", 2e10), **change)
    count_class(ledger, tally, 3)
    ledger.record_waiver(replace(waiver, reason="a guess"))
    ledger.record_waiver(waiver)

    assert [waiver] == ledger.waivers()
    assert [(CLASS, 3, is_waived)] == [
        (it.fingerprint, it.count, it.is_waived) for it in ledger.evidence("parser").classes
    ]
    assert ["waived" if is_waived else "new"] == [it["state"] for it in ledger.divergences("parser")]
    assert [("", f"waived:{CLASS}", waiver.expires_at)] * 2 == [
        (row["from_state"], row["to_state"], row["until"]) for row in ledger.audit("parser")
    ]


def test_calls_of_other_shapes_have_the_highest_number(open_ledger, tally):
    """Databases count from minus to plus 2**63; a shape's number comes back as it went in."""
    ledger = open_ledger()
    count_class(ledger, tally, 1)

    assert [(OTHER_SHAPE, 1)] == [(it.shape, it.account.diverged) for it in ledger.evidence("parser").shapes]


def test_evaluations_are_kept(open_ledger):
    """The latest first, with every check."""
    ledger = open_ledger()
    checks = ({"name": "bake", "holds": False, "missing": "3 hours", "seconds_left": 10_800.0},)
    for decision in ("hold", "promote"):
        ledger.record_gate_evaluation(Evaluation(EPOCH, 2, decision, checks))

    assert [("build-1", 2, "promote", list(checks)), ("build-1", 2, "hold", list(checks))] == [
        (row["candidate_build"], row["step"], row["decision"], row["checks"])
        for row in ledger.gate_evaluations("parser")
    ]
    assert ["promote"] == [row["decision"] for row in ledger.gate_evaluations("parser", limit=1)]


def test_a_ledger_that_is_not_there_says_nothing(tmp_path):
    """Reading makes no file."""
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'none.db'}", flush_seconds=None)

    assert ({}, [], [], []) == (
        ledger.rollouts(),
        ledger.waivers(),
        ledger.gate_evaluations("parser"),
        ledger.progress("parser"),
    )
    assert [] == list(tmp_path.iterdir())


def test_a_decision_that_cannot_be_written_is_told(tmp_path):
    """Whoever decides waits for it, so that an error is theirs."""
    ledger = Ledger.open(f"sqlite:///{tmp_path}", flush_seconds=None)
    with pytest.raises(LedgerError, match="cannot be written"):
        ledger.record_rollout(FIRST, expected=None)
