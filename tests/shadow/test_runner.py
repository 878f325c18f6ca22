"""What happens on the caller's path, and that nothing else reaches the caller."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import weakref

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fast_litellm import events
from fast_litellm.accel.native import Tally
from fast_litellm.errors import Declined, Unsnapshotable
from fast_litellm.shadow import (
    Budget,
    Experiment,
    FunctionCandidate,
    Limits,
    Outcome,
    ShadowRunner,
    comparators,
    engine,
    machinery,
)

DEADLINE_S = 30
Panic = type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})
RAISED = [
    ValueError("secret"),
    SystemExit(1),
    KeyboardInterrupt(),
    GeneratorExit(),
    asyncio.CancelledError(),
    RecursionError(),
    MemoryError(),
    Panic("secret"),
]


def raising(error):
    """A function that raises."""

    def function(*_args, **_kwargs):
        raise error

    return function


class Preparing:
    """A candidate whose two steps are given functions."""

    build = "build-1"

    def __init__(self, prepare, run=lambda _plan, _args, _kwargs: 1):
        self.prepare = prepare
        self.run = run


def settled(runner, tally):
    """The reading when every comparison is made."""
    assert runner.drain(DEADLINE_S)
    return tally.reading()


def test_the_caller_gets_the_controls_own_object(make_runner, balanced):
    """The value is the control's, not a copy and not the candidate's."""
    value = ["the control's"]
    runner = make_runner(lambda: value, lambda: ["the candidate's"])
    assert value is runner.observe((), {})
    assert runner.drain(DEADLINE_S)
    assert 1 == balanced()["diverged"]


def test_what_a_compared_call_took_is_told(make_runner, sink):
    """Once for each call, whether the sides agree or not, with the processor time of the comparison."""
    runner = make_runner(lambda value: value, lambda _value: 1)
    for value in (1, 2):
        runner.observe((value,), {})
    assert runner.drain(DEADLINE_S)
    assert [True] * 2 == [min(spent) > 0 for spent in sink.spent]


@pytest.mark.parametrize("error", [ValueError("x"), Declined("x"), RecursionError()], ids=repr)
def test_the_caller_gets_the_controls_own_exception(make_runner, balanced, error):
    """The exception is the same object, and the candidate's equal one matches it."""
    runner = make_runner(raising(error), raising(type(error)(*error.args)))
    with pytest.raises(type(error)) as caught:
        runner.observe((), {})
    assert error is caught.value
    assert (None, None) == (error.__cause__, error.__context__)
    assert runner.drain(DEADLINE_S)
    assert 0 == balanced()["diverged"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(), asyncio.CancelledError()], ids=repr)
def test_an_interrupted_control_is_not_compared(make_runner, balanced, error):
    """An interrupt belongs to the program: it is passed on, and the comparison is shed."""
    runner = make_runner(raising(error), lambda: 1)
    with pytest.raises(type(error)) as caught:
        runner.observe((), {})
    assert error is caught.value
    assert {"control_interrupted": 1} == balanced()["shed"]


@pytest.mark.parametrize("error", RAISED, ids=repr)
def test_nothing_a_candidate_raises_while_running_reaches_the_caller(make_runner, balanced, sink, error):
    """Every class of exception of the candidate is a divergence, and the caller has its value."""
    runner = make_runner(lambda: 1, raising(error))
    assert 1 == runner.observe((), {})
    assert runner.drain(DEADLINE_S)
    assert 1 == balanced()["diverged"]
    kind = "panic" if isinstance(error, Panic) else "value_against_exception"
    assert [kind] == [comparison.description.kind for comparison in sink.comparisons]


@pytest.mark.parametrize("error", RAISED, ids=repr)
def test_nothing_a_candidate_raises_while_preparing_reaches_the_caller(make_runner, balanced, error):
    """Every class of exception is counted, and the call is shed."""
    runner = make_runner(lambda: 1, Preparing(raising(error)))
    assert 1 == runner.observe((), {})
    assert {"machinery_failed": 1} == balanced()["shed"]
    assert {f"prepare: {type(error).__name__}": 1} == machinery.failures()


def test_what_a_signals_handler_raises_while_a_call_is_copied_reaches_the_caller(make_runner, balanced, late):
    """The time limit is the caller's; the comparison is shed, and no failure of it is told."""
    runner = make_runner(lambda: 1, Preparing(late))
    with pytest.raises(late.error):
        runner.observe((), {})
    assert ({"machinery_failed": 1}, {}) == (balanced()["shed"], machinery.failures())


def test_what_a_signals_handler_raises_while_a_call_is_queued_reaches_the_caller(make_runner, balanced, late):
    """Whether the control has answered or raised."""
    for control in (lambda: 1, raising(ValueError("x"))):
        runner = make_runner(control, lambda: 1)
        runner._worker.put = late
        with pytest.raises(late.error):
            runner.observe((), {})


@pytest.mark.parametrize("error", RAISED, ids=repr)
def test_nothing_a_comparator_raises_reaches_the_caller(make_runner, balanced, sink, error):
    """Every class of exception of the comparator is a divergence of its own kind."""

    class Broken(comparators.Exact):
        def __call__(self, _control, _candidate):
            raise error

    runner = make_runner(lambda: 1, lambda: 1, comparator=Broken())
    assert 1 == runner.observe((), {})
    assert runner.drain(DEADLINE_S)
    assert 1 == balanced()["diverged"]
    assert ["comparator_error"] == [comparison.description.kind for comparison in sink.comparisons]


@pytest.mark.parametrize("error", RAISED, ids=repr)
def test_nothing_the_listeners_raise_is_lost_or_passed_on(make_runner, balanced, sink, error):
    """A callback, a sink and a log that all raise leave the comparison counted."""
    sink.record = raising(error)
    runner = make_runner(lambda: 1, lambda: 2, on_block=raising(error))
    assert 1 == runner.observe((), {})
    assert runner.drain(DEADLINE_S)
    assert 1 == balanced()["diverged"]
    name = type(error).__name__
    assert {f"on_block: {name}": 1, f"record: {name}": 1} == machinery.failures()


def test_the_end_of_the_stack_reaches_the_caller_as_the_controls_own(make_runner, tally):
    """At every depth the caller gets its value or the RecursionError it would have had, and counters hold."""
    runner = make_runner(lambda: 1, lambda: 1)

    def at_depth(depth):
        return at_depth(depth - 1) if depth else runner.observe((), {})

    def deeper_and_deeper():
        for depth in range(limit - 150, limit):
            answers.append(at_depth(depth))  # noqa: PERF401 - what was answered before the error counts

    limit, answers = sys.getrecursionlimit(), []
    with pytest.raises(RecursionError):
        deeper_and_deeper()
    assert len(answers) > 50
    assert {1} == set(answers)
    reading = settled(runner, tally)
    assert reading["offered"] == reading["compared"] + sum(reading["shed"].values())


def test_no_python_runs_on_the_callers_path_but_the_control(make_runner, balanced):
    """What a compared call costs its caller is native; a candidate that prepares nothing is not even asked."""
    runner, ran = make_runner(lambda value: value, lambda value: value), []
    runner.observe((0,), {})  # the worker's thread is started by the first call
    try:
        sys.setprofile(lambda frame, event, _: event == "call" and ran.append(frame.f_code.co_name))
        runner.observer(([1, {"a": ("b",)}],), {})
    finally:
        sys.setprofile(None)
    assert ["<lambda>"] == ran
    assert runner.drain(DEADLINE_S)
    assert 2 == balanced()["matched"]


def test_the_function_that_raised_is_named(make_runner, sink):
    """The control's as well as the candidate's, whoever has caught the exception."""

    class Odd(Exception):  # noqa: N818 - a class of no other test
        """Raised by the control."""

    def deep():
        raise Odd

    def control():
        deep()

    runner = make_runner(control, lambda: 1)
    with pytest.raises(Odd) as caught:
        runner.observe((), {})
    assert ["control", "deep"] == [entry.name for entry in caught.traceback[-2:]]
    with pytest.raises(Odd):
        make_runner(deep, lambda: 1).observe((), {})
    assert runner.drain(DEADLINE_S)
    assert ["deep"] == [it.description.control.frame.rpartition(".")[2] for it in sink.comparisons[:1]]


def test_a_runner_that_nobody_needs_is_collected(tally):
    """The native observer is no obstacle to the collector of cycles."""
    runner = ShadowRunner(Experiment("feature", abs, FunctionCandidate(abs), comparators.exact), tally=tally)
    runner.abandon(runner.prepare((-1,), {}), "control_interrupted")
    runner.close(DEADLINE_S)
    observer = weakref.ref(runner.observer)
    del runner
    gc.collect()
    assert observer() is None


def test_a_job_that_a_closed_worker_refuses_is_shed(make_runner, balanced):
    """Whatever happens to a call after its control has answered, it is in one place of the account."""
    runner = make_runner(lambda: 1, lambda: 1)
    jobs = [runner.prepare((), {}) for _ in range(3)]
    runner.submit(jobs[0], Outcome(1))
    runner.close(DEADLINE_S)
    runner.submit(jobs[1], Outcome(1))
    runner.abandon(jobs[2], "control_interrupted")
    assert (1, {"shutdown": 1, "control_interrupted": 1}) == (balanced()["matched"], balanced()["shed"])


def test_the_candidate_works_on_a_copy(make_runner, balanced):
    """Neither the candidate nor the caller's later changes touch what the other sees."""
    seen, mine = [], {"items": ["original"]}
    go = threading.Event()

    def candidate(argument):
        go.wait(DEADLINE_S)
        seen.append(list(argument["items"]))
        argument["items"].append("candidate's")
        return 1

    runner = make_runner(lambda argument: 1, candidate)
    runner.observe((mine,), {})
    mine["items"].append("caller's")
    go.set()
    assert runner.drain(DEADLINE_S)
    assert ["original"] == seen[0]
    assert {"items": ["original", "caller's"]} == mine


def test_the_controls_value_is_compared_as_it_was_returned(make_runner, balanced):
    """A caller that changes the value it got does not make the candidate look wrong."""
    go = threading.Event()

    def candidate():
        go.wait(DEADLINE_S)
        return [1]

    runner = make_runner(lambda: [1], candidate)
    runner.observe((), {}).append(2)
    go.set()
    assert runner.drain(DEADLINE_S)
    assert 1 == balanced()["matched"]


def test_the_caller_does_not_wait_for_the_candidate(make_runner):
    """The caller has its answer while the candidate has not finished."""
    go = threading.Event()
    runner = make_runner(lambda: 1, lambda: go.wait(DEADLINE_S))
    assert 1 == runner.observe((), {})
    assert not runner.drain(0.01)
    go.set()
    assert runner.drain(DEADLINE_S)


def test_a_declined_call_is_shed_with_its_reason(make_runner, balanced):
    """The candidate's reason is counted under declined, the lost comparison under shed."""
    runner = make_runner(lambda: 1, Preparing(raising(Declined("custom_tokenizer"))))
    assert 1 == runner.observe((), {})
    assert ({"custom_tokenizer": 1}, {"declined": 1}) == (balanced()["declined"], balanced()["shed"])


def test_a_call_declined_while_running_is_shed_with_its_reason(make_runner, balanced):
    """A late decline is counted like an early one, and is no divergence."""
    runner = make_runner(lambda: 1, raising(Declined("too_long")))
    runner.observe((), {})
    assert runner.drain(DEADLINE_S)
    assert ({"too_long": 1}, {"declined": 1}) == (balanced()["declined"], balanced()["shed"])
    assert 0 == balanced()["diverged"]


class Unspeakable(Declined):
    """A refusal whose reason is no text."""

    def __init__(self):
        self.reason = 7


@pytest.mark.parametrize("side", ["prepare", "run"])
def test_a_reason_that_cannot_be_counted_leaves_the_account_whole(make_runner, balanced, side):
    """The call is shed as declined and nothing stays in flight; the reason is a failure of the candidate's author."""
    refusing = raising(Unspeakable())
    runner = make_runner(lambda: 1, Preparing(refusing) if side == "prepare" else refusing)
    assert 1 == runner.observe((), {})
    assert runner.drain(DEADLINE_S)
    reading = balanced()
    assert ({"declined": 1}, 0, {}) == (reading["shed"], reading["in_flight"], reading["declined"])
    assert {"decline: TypeError": 1} == machinery.failures()


@pytest.mark.parametrize(
    ("options", "arguments", "value", "reason"),
    [
        ({}, (object(),), 1, "unsnapshotable"),
        ({}, (), object(), "unsnapshotable"),
        ({"limits": Limits(max_bytes=1_000)}, ("x" * 1_000,), 1, "memory"),
        ({"limits": Limits(max_jobs=0)}, (), 1, "queue_full"),
    ],
)
def test_what_cannot_be_compared_is_shed_with_a_reason(make_runner, balanced, options, arguments, value, reason):
    """Each limit has its word."""
    runner = make_runner(lambda *_args: value, lambda *_args: value, **options)
    assert value is runner.observe(arguments, {})
    assert {reason: 1} == balanced()["shed"]


def test_beyond_the_budget_calls_are_shed(make_runner, balanced):
    """When the processor time is used up, calls are shed before anything is prepared for them."""
    cpu = iter(range(0, 10**12, 10**9))
    budget = Budget(0.05, 250, clock=lambda: 0, cpu_clock=lambda: next(cpu))
    prepared = []
    runner = make_runner(lambda: 1, Preparing(lambda *call: prepared.append(call)), budget=budget)
    for _ in range(3):
        runner.observe((), {})
        assert runner.drain(DEADLINE_S)
    assert (1, {"budget": 2}) == (balanced()["compared"], balanced()["shed"])
    assert 1 == len(prepared)


def test_what_is_given_up_costs_no_budget(make_runner, balanced):
    """
    Calls whose value cannot be copied are not compared, so they use up nothing of what others may use. What is reserved
    for so many would be twice the budget; what they took on their caller's path is a small part of it.
    """
    runner = make_runner(object, object, budget=Budget(0.05, 250, clock=lambda: 0))
    for _ in range(5_000):
        runner.observe((), {})
    assert {"unsnapshotable": 5_000} == balanced()["shed"]


def test_the_queue_is_bounded_by_the_bytes_it_holds(make_runner, balanced):
    """Calls that wait hold memory: when it is used up the next is shed, and when they are done there is room."""
    go = threading.Event()
    runner = make_runner(lambda text: 1, lambda text: go.wait(DEADLINE_S) and 1, limits=Limits(max_bytes=5_000))
    for _ in range(4):
        runner.observe(("x" * 2_000,), {})
    assert {"memory": 2} == balanced()["shed"]
    go.set()
    assert runner.drain(DEADLINE_S)
    runner.observe(("x" * 2_000,), {})
    assert runner.drain(DEADLINE_S)
    assert 3 == balanced()["compared"]


def test_a_call_from_within_a_comparison_is_shed(make_runner, balanced):
    """A control that calls its own seam is not compared inside its comparison."""
    runner = make_runner(lambda: 1, lambda: runner.observe((), {}))
    runner.observe((), {})
    assert runner.drain(DEADLINE_S)
    assert (1, {"nested": 1}) == (balanced()["matched"], balanced()["shed"])


def test_a_closed_runner_sheds(make_runner, balanced):
    """What waits when a runner is closed, and what comes later, is shed as a shutdown."""
    begun, go = threading.Event(), threading.Event()

    def candidate():
        begun.set()
        return go.wait(DEADLINE_S) and 1

    runner = make_runner(lambda: 1, candidate)
    between = runner.prepare((), {})
    runner.observe((), {})
    assert begun.wait(DEADLINE_S)
    runner.observe((), {})
    runner.close(0.01)
    runner.observe((), {})
    runner.submit(between, Outcome(1))
    assert {"shutdown": 3} == balanced()["shed"]
    go.set()
    assert runner.drain(DEADLINE_S)
    assert (1, 0) == (balanced()["matched"], balanced()["in_flight"])


def test_a_candidate_that_does_not_end_is_a_timeout_and_the_next_call_is_compared(make_runner, balanced, sink):
    """The call ends as an unconfirmed timeout while its candidate still runs, and what comes late changes nothing."""
    begun, go, back = threading.Event(), threading.Event(), threading.Event()
    now = [0]

    def candidate(number):
        if number == 1:
            begun.set()
            go.wait(DEADLINE_S)
            back.set()
        return number + 1

    runner = make_runner(lambda number: number, candidate, limits=Limits(clock=lambda: now[0]))
    assert [1, 2] == [runner.observe((number,), {}) for number in (1, 2)]
    assert begun.wait(DEADLINE_S)
    now[0] = 10**12
    runner._worker.look()
    assert runner.drain(DEADLINE_S)
    go.set()
    assert back.wait(DEADLINE_S)
    reading = balanced()
    assert (1, 1, 0) == (reading["waived"], reading["diverged"], reading["in_flight"])
    assert [("timeout", False), ("value", True)] == [
        (it.description.kind, it.confirmed_on_rerun) for it in sink.comparisons
    ]
    assert {} == machinery.failures()


def test_a_candidate_that_hangs_twice_is_not_run_again(make_runner, balanced):
    """Two threads are lost to it at most; every further call is shed as hung, and so is what waited."""
    go, third = threading.Event(), threading.Semaphore(0)

    def candidate():
        third.release()
        go.wait(DEADLINE_S)
        return 1

    runner = make_runner(lambda: 1, candidate, limits=Limits(deadline_ms=10, patience=2))
    for _ in range(3):
        assert 1 == runner.observe((), {})
    assert runner.drain(DEADLINE_S)
    assert 1 == runner.observe((), {})
    assert (2, {"hung": 2}, 0) == (balanced()["waived"], balanced()["shed"], balanced()["in_flight"])
    assert [True, True, False] == [third.acquire(blocking=False) for _ in range(3)]
    go.set()


def test_the_first_divergence_blocks_at_once(make_runner, sink, log):
    """The callback hears of the first divergence that is not waived, and of no other."""
    blocks = []
    runner = make_runner(lambda x: x, lambda x: x + 1, on_block=lambda *block: blocks.append(block))
    for number in range(3):
        runner.observe((number,), {})
    assert runner.drain(DEADLINE_S)
    assert [("feature", sink.comparisons[0].fingerprint)] == blocks
    assert ["blocked", "none", "none"] == [comparison.action for comparison in sink.comparisons]
    assert [events.FEATURE_BLOCKED, events.DIVERGENCE] == [entry["event"] for entry in log]


def test_an_accepted_divergence_blocks_nothing(make_runner, sink, balanced):
    """It is counted as waived, and kept as what it is: when the acceptance ends, its class speaks again."""
    blocks = []
    runner = make_runner(lambda x: x, lambda x: x + 1, on_block=lambda *block: blocks.append(block))
    for number in range(2):
        runner.observe((number,), {})
        assert runner.drain(DEADLINE_S)
        sink.accepted.add(("feature", sink.comparisons[0].fingerprint))
    assert (1, 1, 1) == (len(blocks), balanced()["waived"], balanced()["diverged"])
    assert [("diverged", "blocked"), ("diverged", "none")] == [(it.outcome, it.action) for it in sink.comparisons]


def test_after_a_lifted_block_the_next_divergence_blocks_again(make_runner, sink):
    """Unless its class is accepted; the first one has said nothing of the others."""
    blocks = []
    runner = make_runner(lambda x: x, lambda x: -x or "", on_block=lambda _, fingerprint: blocks.append(fingerprint))
    for value in (1, 1, 0, 0):
        runner.observe((value,), {})
        assert runner.drain(DEADLINE_S)
        sink.accepted.add(("feature", blocks[0]))
        runner.rearm()
    assert [sink.comparisons[index].fingerprint for index in (0, 2, 3)] == blocks


def test_a_sink_that_cannot_say_what_is_accepted_accepts_nothing(make_runner, sink):
    """The difference blocks, and the failure is counted."""
    blocks, sink.accepts = [], raising(RuntimeError())
    runner = make_runner(lambda: 1, lambda: 2, on_block=lambda *block: blocks.append(block))
    runner.observe((), {})
    assert runner.drain(DEADLINE_S)
    assert (1, {"accepts: RuntimeError": 1}) == (len(blocks), machinery.failures())


def test_noise_blocks_nothing(make_runner, sink, balanced):
    """A control that never gives the same answer twice is waived, and its candidate stays."""
    numbers = iter(range(100))
    blocks = []
    runner = make_runner(lambda: next(numbers), lambda: -1, on_block=lambda *block: blocks.append(block))
    runner.observe((), {})
    assert runner.drain(DEADLINE_S)
    assert ([], 1) == (blocks, balanced()["waived"])
    assert [("waived", True)] == [(it.outcome, it.control_rerun_differs) for it in sink.comparisons]


def test_a_difference_that_cannot_be_described_still_blocks(make_runner, sink, balanced):
    """A comparator whose path cannot be read has found a difference all the same."""

    class Odd(comparators.Exact):
        def __call__(self, control, candidate):
            return None if control == candidate else comparators.Difference("value", path=(object(),))

    blocks = []
    runner = make_runner(lambda: 1, lambda: 2, comparator=Odd(), on_block=lambda *block: blocks.append(block))
    runner.observe((), {})
    assert runner.drain(DEADLINE_S)
    assert ([("feature", "undescribed")], 1) == (blocks, balanced()["diverged"])


def test_no_content_is_told(make_runner, sink, log):
    """A canary in every argument, key, value and message appears in no record, event or representation."""
    canary = "canary-7f3a"

    def candidate(*_args, **_kwargs):
        raise ValueError(canary)

    runner = make_runner(lambda *args, **kwargs: {canary: [canary]}, lambda *args, **kwargs: {canary: [canary, 1]})
    raising_runner = make_runner(lambda *args, **kwargs: canary, candidate)
    for one in (runner, raising_runner):
        one.observe((canary, {canary: [canary]}), {"user": canary})
        assert one.drain(DEADLINE_S)
    told = repr((sink.comparisons, [comparison.as_event() for comparison in sink.comparisons], log))
    assert canary not in told
    assert 2 == len(sink.comparisons)


steps = st.lists(st.sampled_from(["observe", "prepare", "submit", "abandon", "drain", "diverge"]), max_size=30)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=50)
@given(steps, st.integers(0, 3))
def test_every_call_is_accounted_for_in_any_order_of_events(sequence, max_jobs):
    """Whatever is submitted, abandoned or left over: offered is compared, shed or in flight, at every moment."""
    tally, jobs = Tally(), []
    experiment = Experiment("feature", lambda x: x, FunctionCandidate(abs), comparators.exact)
    runner = ShadowRunner(experiment, tally=tally, budget=Budget(1), limits=Limits(max_jobs=max_jobs))
    actions = {
        "observe": lambda: runner.observe((1,), {}),
        "diverge": lambda: runner.observe((-1,), {}),
        "prepare": lambda: jobs.append(runner.prepare((1,), {})),
        "submit": lambda: jobs and jobs[0] and runner.submit(jobs.pop(0), Outcome(1)),
        "abandon": lambda: jobs and jobs[0] and runner.abandon(jobs.pop(0), "control_interrupted"),
        "drain": lambda: runner.drain(DEADLINE_S),
    }
    for step in sequence:
        actions[step]()
        reading = tally.reading()
        assert reading["offered"] == reading["compared"] + sum(reading["shed"].values()) + reading["in_flight"]
    runner.close(DEADLINE_S)
    assert 0 == tally.reading()["in_flight"]


def test_threads_are_accounted_for_together(make_runner, balanced):
    """Eight threads that call at once lose no call."""

    def call():
        for number in range(200):
            assert number == runner.observe((number,), {})

    runner = make_runner(lambda x: x, lambda x: x, limits=Limits(max_jobs=50, deadline_ms=60_000))
    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    assert runner.drain(DEADLINE_S)
    reading = balanced()
    assert (1_600, 0, 0) == (reading["offered"], reading["in_flight"], reading["diverged"])


def test_a_forked_child_begins_its_own_account(python):
    """A child inherits neither counters nor jobs nor a held worker, and its own calls are compared."""
    program = """
        import os, threading
        from fast_litellm.accel.native import Tally
        from fast_litellm.shadow import *
        from fast_litellm.shadow import machinery

        go = threading.Event()
        main = os.getpid()
        tally = Tally()
        candidate = FunctionCandidate(lambda x: (os.getpid() != main or go.wait(30)) and x)
        runner = ShadowRunner(Experiment("f", lambda x: x, candidate, comparators.exact), tally=tally, budget=Budget(1),
                              limits=Limits(deadline_ms=60000))
        half = runner.prepare((1,), {})
        for number in range(1, 6):
            runner.observe((number,), {})
        child = os.fork()
        if not child:
            runner.submit(half, Outcome(1))
            fresh = tally.reading()["offered"]
            for number in range(1, 4):
                runner.observe((number,), {})
            drained = runner.drain(30)
            reading = tally.reading()
            failures = machinery.failures()
            print("child", fresh, drained, reading["offered"], reading["matched"], failures, flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        go.set()
        runner.submit(half, Outcome(1))
        drained = runner.drain(30)
        reading = tally.reading()
        print("parent", drained, reading["offered"], reading["matched"], reading["in_flight"], flush=True)
    """
    out, _ = python(program).communicate(timeout=DEADLINE_S)
    assert ["child 0 True 3 3 {}", "parent True 6 6 0"] == out.splitlines()


def test_what_waits_at_exit_is_still_compared(python):
    """A program that ends right after its calls has them compared, not lost with the daemon thread."""
    program = """
        import atexit
        from fast_litellm.accel.native import Tally
        from fast_litellm.shadow import *

        tally = Tally()
        atexit.register(lambda: print(tally.reading()["matched"], flush=True))
        candidate = FunctionCandidate(lambda x: x)
        runner = ShadowRunner(Experiment("f", lambda x: x, candidate, comparators.exact), tally=tally, budget=Budget(1))
        for number in range(100):
            runner.observe((number,), {})
    """
    out, _ = python(program).communicate(timeout=DEADLINE_S)
    assert "100" == out.strip()


class Twinned(Preparing):
    """A candidate that says itself what of a call is copied for its comparison."""

    def __init__(self, twin, run):
        super().__init__(lambda _args, _kwargs: None, run)
        self.twin = twin


def test_a_candidate_that_makes_a_twin_of_the_call_is_run_on_it(tally, balanced):
    """The control is given the caller's own arguments, both sides' comparison the twin's."""
    given = []
    twin = lambda args, kwargs: (([*args[0], "twin"],), kwargs)  # noqa: E731
    candidate = Twinned(twin, lambda _plan, args, _kwargs: args[0][-1])
    runner = ShadowRunner(
        Experiment("feature", lambda it: given.append(it) or it[-1], candidate, comparators.exact),
        tally=tally,
        budget=Budget(1.0),
    )
    own = ["own"]
    answers = [runner.observe((own,), {}), runner.drain(DEADLINE_S)]
    runner.close()

    assert ["own", True] == answers
    assert given[0] is own
    assert own == ["own"]
    assert [["own", "twin"]] == given[1:2]  # the control again, because the twin's answer is another
    assert 1 == balanced()["waived"] + balanced()["diverged"]


@pytest.mark.parametrize("error", [Unsnapshotable("shared_cache"), ValueError("x"), KeyboardInterrupt()], ids=repr)
def test_a_twin_that_cannot_be_made_costs_the_caller_nothing(tally, balanced, error):
    """The caller has the control's answer, and the comparison is shed."""
    candidate = Twinned(raising(error), lambda _plan, _args, _kwargs: 1)
    runner = ShadowRunner(
        Experiment("feature", lambda: 1, candidate, comparators.exact), tally=tally, budget=Budget(1.0)
    )
    answer = runner.observe((), {})
    runner.close()

    assert (1, 0, 1) == (answer, balanced()["compared"], sum(balanced()["shed"].values()))


def test_runners_share_a_memory_and_answers_count(make_runner):
    """What waits for a comparison holds no more than is there for all, with the copies of answers."""
    memory, go = engine.current().Memory(4_000), threading.Event()
    limits = Limits(memory=memory)
    runners = [
        make_runner(lambda text: text * 2, lambda text: go.wait(DEADLINE_S) and text * 2, limits=limits)
        for _ in range(2)
    ]
    for runner in runners:
        runner.observe(("x" * 1_000,), {})  # with its answer, more than three thousand
    taken = memory.taken
    go.set()
    assert all(runner.drain(DEADLINE_S) for runner in runners)
    assert (True, 0) == (3_000 < taken <= 4_000, memory.taken)
    assert {"memory": 1} == runners[1]._tally.reading()["shed"]
