"""The pool's own thread: where the system gives none, what does not reach it, and which loops wait for it, how long."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import signal
import sys
import weakref
from pathlib import Path

import httpx
import pytest

from fast_litellm.accel import native
from fast_litellm.accel.candidates import pool_requests, pool_settings, pool_waiting
from fast_litellm.errors import Declined

spec = importlib.util.spec_from_file_location("pool_callers", Path(__file__).with_name("callers.py"))
callers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(callers)
CALLERS, both, status = callers.CALLERS, callers.both, callers.status

NAME = "fast-litellm-pool"[:15]
"""As much of it as Linux keeps."""


@pytest.mark.parametrize("make", CALLERS)
def test_where_the_system_gives_no_thread_python_sends(make, rust, server, monkeypatch):
    """And one is asked for again with the next request."""
    asked = []

    def refuse() -> None:
        asked.append(1)
        raise OSError

    monkeypatch.setattr(pool_requests, "_POOLS", pool_settings.Pools())
    monkeypatch.setattr(native, "begin_connections", refuse)
    _, _, found = both(make(), rust, server, *[("GET", server.url + "/plain")] * 2)

    assert ({"no_thread": 2}, 2, 0) == (found["declined"], len(asked), found["served"]["rust"])


@pytest.mark.skipif(sys.platform != "linux", reason="nothing tells what a thread is closed to")
def test_no_signal_arrives_on_it(rust, server):
    """A handler that is not Python's would run there, and one that is would be heard late."""
    rust()
    httpx.get(server.url + "/plain")
    tasks = [task for task in Path("/proc/self/task").iterdir() if NAME == _name(task)]
    may_be_closed_to = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}

    assert (1, 1) == (status()["served"]["rust"], len(tasks))
    assert set() == may_be_closed_to - _blocked(tasks[0])
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def _name(task) -> str:
    try:
        return (task / "comm").read_text().strip()
    except OSError:  # it has ended
        return ""


def _blocked(task) -> set:
    line = next(line for line in (task / "status").read_text().splitlines() if line.startswith("SigBlk:"))
    mask = int(line.split()[1], 16)
    return {number for number in range(1, 65) if mask >> (number - 1) & 1}


def test_a_coroutine_that_is_no_task_of_the_loops_is_left_to_the_original():
    """Another library's, such as trio's, which runs in turns of a loop of asyncio's and knows no future of that."""

    async def outer() -> str:
        told = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(lambda: told.set_result(_reason()))
        return await told

    assert "event_loop" == asyncio.run(outer())


def test_without_a_loop_of_asyncios_it_is_left_to_the_original():
    assert "event_loop" == _reason()


def _reason() -> str:
    with pytest.raises(Declined) as declined:
        pool_waiting.check_loop()
    return declined.value.reason


def test_a_loop_that_watches_no_sockets_is_left_to_the_original():
    """Windows' usual one."""

    class Unwatching(asyncio.SelectorEventLoop):
        def add_reader(self, *_args):
            raise NotImplementedError

    async def outer() -> str:
        return _reason()

    loop = Unwatching()
    try:
        found = loop.run_until_complete(outer())
    finally:
        loop.close()

    assert "event_loop" == found


def test_a_loop_that_is_closed_while_somebody_waits_is_gone(rust, server):
    """With its sockets, and the request."""
    rust()
    freed: list = []

    def leave() -> None:
        loop = asyncio.new_event_loop()
        weakref.finalize(loop, freed.append, 1)
        task = loop.create_task(httpx.AsyncClient(timeout=60).get(server.url + "/hang"))
        loop.run_until_complete(_received(server))
        task._log_destroy_pending = False
        loop.close()

    leave()
    gc.collect()

    assert ([1], True) == (freed, server.has_left.wait(10))


async def _received(server) -> None:
    for _ in range(1_000):
        if server.has_received.is_set():
            break
        await asyncio.sleep(0.01)
