"""Coroutine functions as both sides."""

from __future__ import annotations

import asyncio
import contextvars
import threading

import pytest

from fast_litellm.shadow import Limits, machinery, modes
from fast_litellm.shadow.asynchronous import _Loops
from fast_litellm.shadow.candidate import TimedOut

DEADLINE_S = 30
TENANT: contextvars.ContextVar[str] = contextvars.ContextVar("TENANT", default="nobody")


async def echo(value):
    """Its argument, after a turn of the loop."""
    await asyncio.sleep(0)
    return value


async def called(runner, *args):
    """One call through a runner."""
    return await modes.observer(runner)(args, {})


def test_the_caller_gets_the_controls_own_object(make_runner, balanced):
    """It is awaited in the caller's task, and compared when that is over."""
    value, tasks = ["the control's"], []

    async def control():
        tasks.append(asyncio.current_task())
        return await echo(value)

    async def main():
        return await called(runner), asyncio.current_task()

    runner = make_runner(control, lambda: echo(["the control's"]))
    answer, task = asyncio.run(main())
    assert value is answer
    assert runner.drain(DEADLINE_S)
    assert ([task], 1) == (tasks, balanced()["matched"])


def test_the_caller_gets_the_controls_own_exception(make_runner, balanced):
    """An equal one of the candidate's matches it."""
    error = ValueError("x")

    async def control():
        raise error

    async def candidate():
        raise ValueError("x")

    runner = make_runner(control, candidate)
    with pytest.raises(ValueError, match="x") as caught:
        asyncio.run(called(runner))
    assert error is caught.value
    assert runner.drain(DEADLINE_S)
    assert 1 == balanced()["matched"]


def test_a_difference_is_confirmed_by_awaiting_both_again(make_runner, balanced, sink):
    """The second runs of both are awaited on the worker's loop."""
    runner = make_runner(echo, lambda value: echo(value + 1))
    assert 1 == asyncio.run(called(runner, 1))
    assert runner.drain(DEADLINE_S)
    assert [("value", True, False)] == [
        (it.description.kind, it.confirmed_on_rerun, it.control_rerun_differs) for it in sink.comparisons
    ]


def test_the_candidate_sees_the_callers_context(make_runner, balanced):
    """A copy of it: what the candidate sets there is seen by nobody, and by none of its later runs."""

    async def control(_number):
        return TENANT.get()

    async def candidate(_number):
        tenant = TENANT.get()
        TENANT.set("the candidate's")
        return tenant

    async def main():
        for number in range(3):
            TENANT.set(f"tenant {number}")
            await called(runner, number)
        return TENANT.get()

    runner = make_runner(control, candidate)
    assert "tenant 2" == asyncio.run(main())
    assert runner.drain(DEADLINE_S)
    assert 3 == balanced()["matched"]


def test_the_comparisons_of_a_feature_have_one_loop_of_their_own(make_runner, balanced):
    """Not the caller's, and not the caller's thread; what a candidate keeps for its loop can be used again."""
    loops, threads = set(), set()

    async def candidate(value):
        loops.add(asyncio.get_running_loop())
        threads.add(threading.current_thread())
        return value

    async def main():
        loops.add(asyncio.get_running_loop())
        for number in range(3):
            await called(runner, number)

    runner = make_runner(echo, candidate)
    asyncio.run(main())
    assert runner.drain(DEADLINE_S)
    assert (2, 1, 3) == (len(loops), len(threads), balanced()["matched"])
    assert threading.current_thread() not in threads
    runner.close()
    threads.pop().join(DEADLINE_S)
    assert all(loop.is_closed() for loop in loops)


def test_calls_at_the_same_time_do_not_mix(make_runner, balanced):
    """Every one of many tasks has its own answer and its own comparison."""

    async def main():
        return await asyncio.gather(*(called(runner, number) for number in range(100)))

    runner = make_runner(echo, echo)
    assert list(range(100)) == asyncio.run(main())
    assert runner.drain(DEADLINE_S)
    assert (100, 0) == (balanced()["matched"], balanced()["in_flight"])


def test_a_cancelled_caller_is_cancelled(make_runner, balanced):
    """The cancellation reaches the control and the caller, and the call is not compared."""
    seen = []

    async def control():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("control")
            raise

    async def main():
        task = asyncio.create_task(called(runner))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return task.cancelled()

    runner = make_runner(control, echo)
    assert asyncio.run(main())
    assert (["control"], {"control_interrupted": 1}) == (seen, balanced()["shed"])


def test_a_coroutine_that_is_never_awaited_is_no_call(make_runner, balanced):
    """As with any coroutine function, nothing happens before the first await."""
    coroutine = called(make_runner(echo, echo), 1)
    coroutine.close()
    assert 0 == balanced()["offered"]


def test_a_candidate_that_waits_for_ever_is_cancelled_at_its_deadline(make_runner, balanced, sink):
    """That is a timeout which can be confirmed, and no thread is lost."""
    cancelled = []

    async def candidate(_value):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(threading.current_thread())
            raise

    runner = make_runner(echo, candidate, limits=Limits(deadline_ms=100, patience=600))
    assert [1, 2] == [asyncio.run(called(runner, number)) for number in (1, 2)]
    assert runner.drain(DEADLINE_S)
    assert [("timeout", True)] * 2 == [(it.description.kind, it.confirmed_on_rerun) for it in sink.comparisons]
    assert (2, 4, 1) == (balanced()["diverged"], len(cancelled), len(set(cancelled)))


def test_a_candidate_object_may_answer_at_once(make_runner, balanced):
    """A native candidate of a coroutine function need not be awaitable."""
    runner = make_runner(echo, lambda value: value)
    asyncio.run(called(runner, 1))
    assert runner.drain(DEADLINE_S)
    assert 1 == balanced()["matched"]


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt(), GeneratorExit(), asyncio.CancelledError()])
def test_a_loop_survives_whatever_a_coroutine_raises(error):
    """The waiting thread gets the same object, and the loop does the next."""

    async def fail():
        raise error

    loops = _Loops()
    with pytest.raises(type(error)) as caught:
        loops.wait(fail())
    assert error is caught.value
    assert 1 == loops.wait(echo(1), DEADLINE_S)
    with pytest.raises(TimedOut):
        loops.wait(asyncio.sleep(3_600), 0.001)
    assert 2 == loops.wait(echo(2))
    assert {} == machinery.failures()
