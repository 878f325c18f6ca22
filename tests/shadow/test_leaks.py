"""
The leak matrix: whatever a candidate, a comparator or the ledger does, synchronous or awaited, in whichever mode, the
caller has the control's own object, and what happened is counted under its own word.
"""

from __future__ import annotations

import asyncio
import importlib
import sqlite3
import sys
import threading
from pathlib import Path

import pytest

from fast_litellm import events
from fast_litellm.shadow import (
    Epoch,
    FunctionCandidate,
    Ledger,
    Limits,
    comparators,
    machinery,
    modes,
)
from fast_litellm.shadow.inline import Inline

DEADLINE_S = 30
WAYS = ["off_path", "off_path awaited", "inline", "isolated", "isolated awaited"]
"""Each mode, plain and awaited; coroutine functions are never run inline."""
KINDS = {
    **dict.fromkeys(["exits", "interrupts", "cancels", "closes", "recurses", "exhausts"], "value_against_exception"),
    "panics": "panic",
    "mutates": "mutation",
    "clears": "mutation",
}


@pytest.fixture
def faults(monkeypatch):
    """The candidates; what hangs of them ends with the test."""
    monkeypatch.syspath_prepend(Path(__file__).parent)
    module = importlib.import_module("faults")
    module.release.clear()
    yield module
    module.release.set()
    sys.modules.pop("faults")


class Seam:
    """
    Two sides in one mode, plain or awaited, and what their caller sees. Inline, a candidate proves itself first, and
    then both sides of every call run on the caller's thread.
    """

    def __init__(self, way):
        self.mode, _, awaited = way.partition(" ")
        self.is_awaited = bool(awaited)
        self.fails_with = None
        self.returned = None

    def begin(self, runner, *, is_proven):
        """Calls go through a runner from here on."""
        self.runner = runner
        self._observe = modes.observer(runner)
        if self.mode == "inline" and is_proven:
            for _ in range(100):
                runner.observe(([],), {})
            assert runner.drain(DEADLINE_S)
            self._observe = Inline(runner, lambda: 0.0).observe

    def call(self, items):
        """What the caller gets, be it returned or raised."""
        try:
            found = self._observe((items,), {})
            return asyncio.run(found) if self.is_awaited else found
        except BaseException as error:
            return error

    def control(self, items):
        """Returns another object each time, or raises the same one."""
        if self.fails_with is not None and items:
            raise self.fails_with
        value = [sum(items)]
        if threading.current_thread() is threading.main_thread():  # the worker runs it again, to confirm a difference
            self.returned = value
        return value

    async def control_later(self, items):
        """The same, awaited."""
        await asyncio.sleep(0)
        return self.control(items)


@pytest.fixture
def make_seam(make_runner, faults):
    """Makes seams; a fault's name is the candidate of that name."""

    def make(way, candidate, *, is_proven=True, deadline_ms=60_000, patience=10, **options):
        seam = Seam(way)
        side = getattr(faults.later if seam.is_awaited else faults, candidate)
        control = seam.control_later if seam.is_awaited else seam.control
        limits = Limits(mode=seam.mode, deadline_ms=deadline_ms, patience=patience)
        seam.begin(
            make_runner(control, FunctionCandidate(side, "build-1"), limits=limits, **options), is_proven=is_proven
        )
        return seam

    return make


def found(seam, sink, balanced):
    """How the last comparison is counted and told, when all are made."""
    assert seam.runner.drain(DEADLINE_S)
    reading, last = balanced(), sink.comparisons[-1]
    assert (1, 1, 0, {}) == (
        len(sink.comparisons),
        reading[last.outcome],
        reading["in_flight"],
        machinery.failures(),
    )
    return last.description.kind, last.outcome, last.confirmed_on_rerun


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fault", KINDS)
def test_the_caller_has_the_controls_value_whatever_the_candidate_does(make_seam, sink, balanced, way, fault):
    """The same object, with its own arguments unchanged; the candidate's deed is a divergence of its own kind."""
    seam, items = make_seam(way, fault), [1, 2]
    assert seam.call(items) is seam.returned
    assert [1, 2] == items
    assert (KINDS[fault], "diverged", True) == found(seam, sink, balanced)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fault", KINDS)
def test_the_caller_has_the_controls_exception_whatever_the_candidate_does(make_seam, sink, balanced, way, fault):
    """The same object, without a trace of another exception."""
    seam, error = make_seam(way, fault), ValueError("the control's")
    seam.fails_with = error
    assert seam.call([1, 2]) is error
    assert (None, None) == (error.__context__, error.__cause__)
    kinds = {"value_against_exception": "exception_class", "mutation": "exception_against_value"}
    assert (kinds.get(KINDS[fault], KINDS[fault]), "diverged", True) == found(seam, sink, balanced)


@pytest.mark.parametrize("way", ["off_path", "off_path awaited", "inline"])
def test_a_candidate_that_hangs_is_an_unconfirmed_timeout(make_seam, sink, balanced, way):
    """Nobody waits for its thread; the second such call is the last that is tried. Inline it has proved nothing."""
    seam = make_seam(way, "hangs", is_proven=False, deadline_ms=20, patience=2)
    for _ in range(4):
        assert seam.call([1]) is seam.returned
    assert seam.runner.drain(DEADLINE_S)
    assert seam.call([1]) is seam.returned
    assert [("timeout", "waived", False)] * 2 == [
        (it.description.kind, it.outcome, it.confirmed_on_rerun) for it in sink.comparisons
    ]
    assert (2, {"hung": 3}, 0) == (balanced()["waived"], balanced()["shed"], balanced()["in_flight"])


def test_a_coroutine_that_waits_for_ever_is_a_confirmed_timeout(make_seam, sink, balanced):
    """It is cancelled at its deadline, and once more."""
    seam = make_seam("off_path awaited", "waits", deadline_ms=50, patience=1_000)
    assert seam.call([1]) is seam.returned
    assert ("timeout", "diverged", True) == found(seam, sink, balanced)


@pytest.mark.parametrize("way", ["isolated", "isolated awaited"])
@pytest.mark.parametrize("fault", ["hangs", "aborts", "ends"])
def test_an_isolated_candidate_may_hang_abort_and_end_its_process(make_seam, sink, balanced, way, fault):
    """It is killed, or dead, twice; the program is neither."""
    kind, deadline_ms = ("timeout", 300) if fault == "hangs" else ("crash", 20_000)
    seam = make_seam(way, fault, deadline_ms=deadline_ms, patience=200)
    assert seam.call([1]) is seam.returned
    assert (kind, "diverged", True) == found(seam, sink, balanced)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "error",
    [SystemExit(), KeyboardInterrupt(), asyncio.CancelledError(), GeneratorExit(), RecursionError(), MemoryError()],
    ids=repr,
)
def test_a_comparator_that_raises_is_a_difference_of_its_own_kind(make_seam, sink, balanced, way, error):
    """Whatever it raises, and although both sides agree."""

    class Broken(comparators.Exact):
        def __call__(self, control, candidate):
            if control != [0]:
                raise error
            return comparators.exact(control, candidate)

    seam = make_seam(way, "agrees", comparator=Broken())
    assert seam.call([1]) is seam.returned
    assert ("comparator_error", "diverged", True) == found(seam, sink, balanced)


@pytest.mark.parametrize("way", ["off_path", "off_path awaited"])
def test_a_locked_database_is_waited_for_by_nobody(make_seam, tally, tmp_path, log, way):
    """What cannot be written is kept, told and counted; when it can be, it is written."""
    path = tmp_path / "ledger.db"
    ledger = Ledger.open(f"sqlite:///{path}", flush_seconds=None)
    ledger.attach(Epoch("feature", "build-1"), tally)
    assert ledger.flush()
    seam = make_seam(way, "mutates", sink=ledger)
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert seam.call([1]) is seam.returned
        assert seam.runner.drain(DEADLINE_S)
        assert not ledger.flush()
        other.execute("ROLLBACK")
    other.close()
    assert 1 == ledger.failures
    assert [events.LEDGER_UNAVAILABLE] == [it["event"] for it in log if it["event"] == events.LEDGER_UNAVAILABLE]
    assert ledger.flush()
    evidence = ledger.evidence("feature")
    assert (1, {"mutation": 1}) == (evidence.account.diverged, dict(evidence.kinds))
    ledger.close()


@pytest.mark.parametrize("awaited", [False, True])
def test_a_full_disk_is_no_concern_of_the_callers(python, tmp_path, awaited):
    """As above, with a disk that takes not one byte more until there is room again."""
    program = """
        import asyncio, resource, sys
        from fast_litellm.accel.native import Tally
        from fast_litellm.shadow import *
        from fast_litellm.shadow import modes

        path, awaited = sys.argv[1], sys.argv[2] == "True"
        values = [["the control's"] for _ in range(20)]
        control, candidate = (lambda number: values[number]), (lambda number: number)

        async def control_later(number):
            return values[number]

        async def candidate_later(number):
            return number

        tally = Tally()
        ledger = Ledger.open(f"sqlite:///{path}", flush_seconds=None)
        ledger.attach(Epoch("feature", "build-1"), tally)
        written = [ledger.flush()]
        sides = (control_later, candidate_later) if awaited else (control, candidate)
        experiment = Experiment("feature", sides[0], FunctionCandidate(sides[1], "build-1"), comparators.exact)
        runner = ShadowRunner(experiment, tally=tally, sink=ledger, budget=Budget(1))
        observe = modes.observer(runner)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
        same = []
        for number in range(20):
            found = observe((number,), {})
            same.append((asyncio.run(found) if awaited else found) is values[number])
        assert runner.drain(30)
        written.append(ledger.flush())
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        written.append(ledger.flush())
        evidence = ledger.evidence("feature")
        runner.close()
        print(all(same), written, ledger.failures, evidence.account.diverged, evidence.account.in_flight, flush=True)
    """
    out, _ = python(program, tmp_path / "ledger.db", awaited).communicate(timeout=DEADLINE_S)
    assert "True [True, False, True] 1 20 0" == out.strip()
