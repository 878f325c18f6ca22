"""A candidate in a process of its own."""

from __future__ import annotations

import importlib
import os
import select
import signal
import sys
import textwrap
import threading
import time

import pytest

from fast_litellm.errors import Declined
from fast_litellm.shadow import (
    Budget,
    Experiment,
    FunctionCandidate,
    Limits,
    ShadowRunner,
    comparators,
    isolation,
)
from fast_litellm.shadow.candidate import Crashed, TimedOut, Withheld
from fast_litellm.shadow.isolation import Isolated, Raised

DEADLINE_S = 30
LIMITS = Limits(mode="isolated", deadline_ms=10_000)
CANDIDATES = """
    import asyncio
    import os
    import signal
    import sys
    import threading
    import time


    def double(number):
        return number * 2


    async def double_later(number):
        await asyncio.sleep(0)
        return number * 2


    def fail(text):
        raise KeyError(text)


    def leave(_status):
        raise SystemExit


    def decline(reason):
        from fast_litellm.errors import Declined

        raise Declined(reason)


    class Unknown(Exception):
        pass


    def fail_unknown():
        class Local(Exception):
            pass

        raise Local


    def spoil(mapping, *items, words):
        mapping["added"] = 1
        items[0].clear()
        words.append("added")
        return 0


    def odd():
        return object()


    def nested(value):
        return [value, {"key": (value, frozenset({1}))}]


    def talk():
        print("secret")
        print("secret", file=sys.stderr)
        return sys.stdin.read()


    def surroundings():
        return sys.argv[1:], os.environ.get("FAST_LITELLM_DISABLE"), os.getppid(), threading.active_count()


    def spin(number):
        while number:
            pass
        return number


    class Planned:
        build = "planned-1"
        factory = "candidates_of_a_test:Planned"

        def prepare(self, args, kwargs):
            return {"scale": args[0]}

        def run(self, plan, args, kwargs):
            return plan["scale"] * 10
"""


@pytest.fixture
def candidates(tmp_path, monkeypatch):
    """A module of candidates that a worker process can import."""
    (tmp_path / "candidates_of_a_test.py").write_text(textwrap.dedent(CANDIDATES), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("candidates_of_a_test")
    sys.modules.pop("candidates_of_a_test")


@pytest.fixture
def isolate():
    """Runs candidates in worker processes, which end with the test."""
    made = []

    def make(candidate, deadline_ms=10_000):
        candidate = candidate if hasattr(candidate, "prepare") else FunctionCandidate(candidate, "build-1")
        made.append(Isolated(candidate, deadline_ms, patience_ms=DEADLINE_S * 1_000))
        return made[-1]

    yield make
    for each in made:
        each.close()


def run(isolated, *args, **kwargs):
    """One call."""
    isolated.make_ready()
    return isolated.run(isolated.prepare(args, kwargs), args, kwargs)


def test_it_answers_what_the_candidate_answers(isolate, candidates):
    """One process serves one call after the other."""
    isolated = isolate(candidates.double)
    assert [2, 4] == [run(isolated, number) for number in (1, 2)]
    assert "build-1" == isolated.build


def test_a_coroutine_function_is_awaited(isolate, candidates):
    """The process has an event loop when it is needed."""
    assert 4 == run(isolate(candidates.double_later), 2)


def test_a_factory_makes_the_candidate_and_its_plan_crosses(isolate, candidates):
    """It is prepared here and run there."""
    isolated = isolate(candidates.Planned())
    assert 30 == run(isolated, 3)


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "é", b"\0", [1], (1,), {"a": 1}, {1}, frozenset({1}), 10**30])
def test_plain_values_cross_as_they_are(isolate, candidates, value):
    """Type and content are the same on the other side, at any depth."""
    assert repr([value, {"key": (value, frozenset({1}))}]) == repr(run(isolate(candidates.nested), value))


@pytest.mark.parametrize("value", [object(), bytearray(b"x"), [memoryview(b"x")], {"key": int}])
def test_what_is_not_plain_does_not_cross(isolate, candidates, value):
    """No value arrives as another type, as marshal would have it."""
    with pytest.raises(Withheld) as caught:
        run(isolate(candidates.nested), value)
    assert "unsnapshotable" == caught.value.reason


def test_an_answer_that_is_not_plain_does_not_cross(isolate, candidates):
    """The process goes on with the next call."""
    isolated = isolate(candidates.odd)
    for _ in range(2):
        with pytest.raises(Withheld):
            run(isolated)


def test_an_exception_keeps_its_class_and_its_text(isolate, candidates):
    """The class is this side's own, so that it can be compared with what the control raises."""
    with pytest.raises(Raised) as caught:
        run(isolate(candidates.fail), "x")
    assert (KeyError, "'x'") == (caught.value.error_type, caught.value.text)


def test_an_exit_is_an_exception(isolate, candidates):
    """SystemExit ends neither process."""
    isolated = isolate(candidates.leave)
    for _ in range(2):
        with pytest.raises(Raised) as caught:
            run(isolated, 1)
        assert SystemExit is caught.value.error_type


def test_a_class_that_nobody_knows_is_a_class_of_its_own():
    """What is not imported here cannot be what the control raised; the class of a panic is told by its name."""
    found = isolation._class("pyo3_runtime", "PanicException")
    assert ("pyo3_runtime", "PanicException", True) == (
        found.__module__,
        found.__name__,
        issubclass(found, BaseException),
    )


def test_a_class_that_cannot_be_named_is_not_compared(isolate, candidates):
    """A class made in a function is another one in each process."""
    with pytest.raises(Withheld):
        run(isolate(candidates.fail_unknown))


def test_a_refusal_keeps_its_reason(isolate, candidates):
    """A candidate that does not cover the call says so from there as from here."""
    with pytest.raises(Declined) as caught:
        run(isolate(candidates.decline), "too_long")
    assert "too_long" == caught.value.reason


def test_changed_arguments_are_changed_here(isolate, candidates):
    """So that a mutation is seen."""
    call = (({}, ["original"]), {"words": []})
    isolated = isolate(candidates.spoil)
    assert 0 == run(isolated, *call[0], **call[1])
    assert (({"added": 1}, []), {"words": ["added"]}) == call


def test_a_call_that_passes_its_deadline_is_killed(isolate):
    """What never ends ends with its process, the next call has another, and the budget pays for both."""
    isolated = isolate(time.sleep, deadline_ms=200)
    for _ in range(2):
        with pytest.raises(TimedOut):
            run(isolated, 3_600)
    assert isolated.cpu_ns >= 2 * 200_000_000


@pytest.mark.parametrize("end", [os.abort, lambda: None], ids=["abort", "exit"])
def test_a_process_that_dies_is_a_crash(isolate, end):
    """An abort and an exit kill the worker process alone."""
    isolated, args = (isolate(os.abort), ()) if end is os.abort else (isolate(os._exit), (3,))
    with pytest.raises(Crashed):
        run(isolated, *args)


def test_a_process_that_is_killed_from_outside_is_started_again(isolate, candidates):
    """The second call is answered by another process."""
    isolated = isolate(candidates.surroundings)
    run(isolated)
    isolated._child._process.kill()
    isolated._child._process.wait(DEADLINE_S)
    with pytest.raises(Crashed):
        run(isolated)
    assert os.getpid() == run(isolated)[2]


def test_a_service_manager_that_ends_every_process_makes_no_crash(isolate, candidates):
    """The worker process leaves ending to its parent."""
    isolated = isolate(candidates.surroundings)
    run(isolated)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        isolated._child._process.send_signal(number)
    assert os.getpid() == run(isolated)[2]


def test_a_runner_that_is_closed_makes_no_crash(make_runner, balanced, sink):
    """A call whose candidate runs at that moment is shed, and no further process is started."""
    runner = make_runner(lambda seconds: None, FunctionCandidate(time.sleep), limits=LIMITS)
    runner.observe((0,), {})
    assert runner.drain(DEADLINE_S)
    child = runner.trial._isolated._child
    asked = child.ask
    begun = threading.Event()
    child.ask = lambda *words: begun.set() or asked(*words)
    runner.observe((3_600,), {})
    assert begun.wait(DEADLINE_S)
    runner.close(0)
    assert runner.drain(DEADLINE_S)
    assert (1, {"shutdown": 1}, []) == (balanced()["matched"], balanced()["shed"], sink.comparisons)
    assert None is runner.trial._isolated._child


def test_a_tape_does_not_cross(tally, candidates, balanced):
    """A candidate that draws its own numbers elsewhere would look wrong; it is not compared."""
    experiment = Experiment(
        "feature", candidates.double, FunctionCandidate(candidates.double), comparators.exact, noise="tape"
    )
    runner = ShadowRunner(experiment, tally=tally, budget=Budget(1), limits=LIMITS)
    runner.observe((1,), {})
    assert runner.drain(DEADLINE_S)
    runner.close()
    assert {"tape_not_isolated": 1} == balanced()["shed"]


def test_it_writes_nowhere_and_reads_nothing(isolate, candidates, capfd):
    """What a candidate prints would be content, and the program's streams are the program's."""
    assert "" == run(isolate(candidates.talk))
    assert ("", "") == capfd.readouterr()


def test_its_command_line_names_nothing_and_nothing_is_installed_in_it(isolate, candidates, monkeypatch):
    """Its arguments are one descriptor; a seam that it imports is the plain function."""
    monkeypatch.setenv("FAST_LITELLM_AUTO", "1")
    arguments, disabled, parent, threads = run(isolate(candidates.surroundings))
    assert (1, True) == (len(arguments), arguments[0].isdigit())
    assert ("1", os.getpid(), 1) == (disabled, parent, threads)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (len, ("builtins:len", False)),
        (lambda: 1, None),
        (isolation.name, ("fast_litellm.shadow.isolation:name", False)),
    ],
)
def test_a_candidate_has_a_name_if_another_process_can_find_it(function, expected):
    """A function of a function, a lambda and what is defined in the program's own file have none."""
    assert expected == isolation.name(FunctionCandidate(function))


def test_what_cannot_be_found_is_not_run(isolate):
    """No process is started for it."""
    isolated = isolate(lambda: 1)
    with pytest.raises(Withheld) as caught:
        isolated.make_ready()
    assert ("not_importable", None) == (caught.value.reason, isolated._child)


def test_a_process_that_cannot_import_its_candidate_is_not_started_for_ever(isolate, candidates, monkeypatch):
    """Eight times at most, ever more slowly."""
    monkeypatch.setattr(candidates.Planned, "factory", "candidates_of_a_test:absent")
    isolated = isolate(candidates.Planned())
    reasons = []
    for _ in range(4):
        with pytest.raises(Withheld) as caught:
            isolated.make_ready()
        reasons.append(caught.value.reason)
    assert ["isolation_failed", "isolation_failed", "restarting", "restarting"] == reasons


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux: the end of another's child is watched")
def test_it_ends_when_its_parent_is_killed(python, candidates, tmp_path):
    """Idle, or in the middle of an endless loop: nothing is left behind."""
    program = f"""
        import sys, threading
        sys.path.insert(0, {str(tmp_path)!r})
        import fast_litellm, candidates_of_a_test
        from fast_litellm.shadow import FunctionCandidate
        from fast_litellm.shadow.isolation import Isolated

        workers = [Isolated(FunctionCandidate(candidates_of_a_test.spin), 200, 30000) for _ in range(2)]
        for worker in workers:
            worker.make_ready()
        threading.Thread(target=workers[0]._child._connection.send_bytes, args=(
            __import__("marshal").dumps((None, (1,), {{}})),)).start()
        print(*(worker._child._process.pid for worker in workers), flush=True)
        sys.stdin.read()
    """
    parent = python(program)
    ends = [os.pidfd_open(int(word)) for word in parent.stdout.readline().split()]
    parent.kill()
    assert [True, True] == [bool(select.select([end], [], [], DEADLINE_S)[0]) for end in ends]
    for end in ends:
        os.close(end)


def test_a_forked_child_starts_its_own(isolate, candidates):
    """The worker process of the parent is left alone."""
    isolated = isolate(candidates.surroundings)
    run(isolated)
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(write, b"own" if run(isolated)[2] == os.getpid() else b"parent's")
            isolated.close()
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    assert b"own" == os.read(read, 100)
    os.close(read)
    assert os.getpid() == run(isolated)[2]


def test_a_runner_compares_in_isolation(make_runner, balanced, sink, candidates):
    """A candidate that aborts is a crash that is confirmed, and the program lives on."""
    runner = make_runner(lambda number: number, FunctionCandidate(candidates.double), limits=LIMITS)
    aborting = make_runner(lambda: 1, FunctionCandidate(os.abort), limits=LIMITS)
    assert (0, 1, 1) == (runner.observe((0,), {}), runner.observe((1,), {}), aborting.observe((), {}))
    assert all(each.drain(DEADLINE_S) for each in (runner, aborting))
    assert (1, 2, 0) == (balanced()["matched"], balanced()["diverged"], balanced()["in_flight"])
    found = sorted((it.description.kind, it.confirmed_on_rerun) for it in sink.comparisons)
    assert [("crash", True), ("value", True)] == found
