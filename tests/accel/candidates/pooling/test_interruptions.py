"""Cancellations and signals in the middle of a request: what comes out is what comes out of the original."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import anyio
import httpx
import pytest

from fast_litellm.accel.candidates import pool_waiting

spec = importlib.util.spec_from_file_location("pool_callers", Path(__file__).with_name("callers.py"))
callers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(callers)
status = callers.status
CALLERS = [callers.Async, callers.LiteLLM]
TOLD = ("told",) if sys.version_info >= (3, 11) else ()
"""What a task that was cancelled with a word says to whoever waits for it."""
INTERRUPTED = """
import sys, httpx, fast_litellm
fast_litellm.install(sys.argv[2])
try:
    with httpx.Client(timeout=20, trust_env=False) as client:
        print("sent", flush=True)
        client.get(sys.argv[1])
except KeyboardInterrupt:
    print("interrupted", fast_litellm.status()["features"]["connection_pooling"]["declined"], flush=True)
    print(httpx.get(sys.argv[1].replace("/hang", "/plain")).text, flush=True)
"""


async def _waiting(client, server, what):
    """Requests what never comes, from its beginning or in the middle of its body."""
    async with client.stream("GET", server.url + what) as response:
        await response.aread()


@pytest.mark.parametrize("what", ["/hang", "/hangbody"])
@pytest.mark.parametrize("make", CALLERS)
def test_a_scope_of_anyio_knows_its_own_cancellation(make, what, rust, server):
    """By its message: the outer scope goes on, and the client with it."""

    async def scoped() -> list:
        async with httpx.AsyncClient(transport=make().transport(), timeout=5) as client:
            with anyio.move_on_after(5) as outer:
                with anyio.move_on_after(5) as inner:
                    async with anyio.create_task_group() as tasks:
                        tasks.start_soon(_cancel_when_received, server, inner)
                        await _waiting(client, server, what)
                answer = await client.get(server.url + "/plain")
            return [inner.cancelled_caught, outer.cancelled_caught, answer.status_code]

    rust()
    assert [True, False, 200] == asyncio.run(scoped())
    assert 1 <= status()["served"]["rust"]


async def _cancel_when_received(server, scope) -> None:
    await asyncio.to_thread(server.has_received.wait, 5)
    scope.cancel()


@pytest.mark.parametrize("what", ["/hang", "/hangbody"])
@pytest.mark.parametrize("make", CALLERS)
def test_a_cancellation_says_what_it_was_told(make, what, rust, server):
    async def cancelled() -> tuple:
        async with httpx.AsyncClient(transport=make().transport(), timeout=5) as client:
            task = asyncio.ensure_future(_waiting(client, server, what))
            await asyncio.to_thread(server.has_received.wait, 5)
            task.cancel("told")
            with pytest.raises(asyncio.CancelledError) as raised:
                await task
            return raised.value.args

    rust()
    assert TOLD == asyncio.run(cancelled())


@pytest.mark.parametrize("make", CALLERS)
def test_a_request_that_is_given_up_is_given_up_on_the_wire(make, rust, server):
    """Before its response has begun: a provider does not go on for nobody, and the next request has the place."""

    async def given_up() -> list:
        limits = httpx.Limits(max_connections=1)
        transport = httpx.AsyncHTTPTransport(limits=limits) if make is callers.Async else make().transport()
        async with httpx.AsyncClient(transport=transport, timeout=httpx.Timeout(60, pool=5)) as client:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.get(server.url + "/hang"), 0.2)
            has_left = await asyncio.to_thread(server.has_left.wait, 10)
            return [has_left, (await client.get(server.url + "/plain")).status_code]

    rust()
    assert [True, 200] == asyncio.run(given_up())
    assert ({"python": 0, "rust": 1}, {}) == (status()["served"], status()["declined"])


def test_what_nobody_has_interrupted_comes_out_as_it_is():
    assert 1 == asyncio.run(pool_waiting.waited(Begun("set_result", 1)))
    with pytest.raises(ValueError, match="bad"):
        asyncio.run(pool_waiting.waited(Begun("set_exception", ValueError("bad"))))


class Begun:
    """Something of the pool's that is over at once."""

    def __init__(self, name, outcome) -> None:
        self.aborted = 0
        self._name, self._outcome = name, outcome

    def __call__(self, _bell, future):
        future.get_loop().call_soon(getattr(future, self._name), self._outcome)
        return self

    def abort(self) -> None:
        self.aborted += 1


class Come:
    """A response."""

    closed = 0

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("outcome", ["set_result", "set_exception"])
def test_a_cancellation_is_heard_where_the_answer_has_come_already(outcome):
    """Whatever is made of it; and what has come is given up, with its place."""
    come = Come()
    begun = Begun(outcome, come if outcome == "set_result" else ValueError("bad"))

    async def cancelled() -> tuple:
        task = asyncio.ensure_future(pool_waiting.waited(begun))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel("told")
        with pytest.raises(asyncio.CancelledError) as raised:
            await task
        return raised.value.args

    assert TOLD == asyncio.run(cancelled())
    assert (1, int(outcome == "set_result")) == (begun.aborted, come.closed)


def test_a_response_that_is_closed_while_it_is_read_has_not_ended(rust, server):
    """Whoever waits for more of it hears so at once."""

    async def closed() -> Exception:
        async with httpx.AsyncClient(timeout=60) as client:
            async with client.stream("GET", server.url + "/hangbody") as response:
                reading = asyncio.ensure_future(response.aread())
                await asyncio.to_thread(server.has_received.wait, 5)
                await asyncio.sleep(0.1)
                await response.aclose()
                with pytest.raises(httpx.ReadError) as raised:
                    await asyncio.wait_for(reading, 10)
            return type(raised.value)

    rust()
    assert asyncio.run(closed()) is httpx.ReadError
    assert 1 == status()["served"]["rust"]


@pytest.mark.parametrize("path", ["/plain", "/chunked", "/hangbody"])
@pytest.mark.parametrize("make", CALLERS)
def test_a_busy_loop_loses_no_cancellation(make, path, rust, server):
    """What has come while it was busy is there, and so is the cancellation."""

    async def lost() -> list:
        async with httpx.AsyncClient(transport=make().transport(), timeout=5) as client:
            return [await busy(client, steps) for steps in range(1, 9)]

    async def busy(client, steps) -> bool:
        task = asyncio.ensure_future(_waiting(client, server, path))
        for _ in range(steps):
            await asyncio.sleep(0)
        await asyncio.to_thread(server.has_received.wait, 5)
        threading.Event().wait(0.05)  # nothing else runs on this thread
        if task.done():
            return False
        task.cancel()
        await asyncio.wait([task])
        return not task.cancelled()

    rust()
    assert [False] * 8 == asyncio.run(lost())


@pytest.mark.skipif(os.name == "nt", reason="no such signal")
def test_a_key_ends_a_program_in_the_middle_of_a_request(server, tmp_path):
    rules = tmp_path / "rollout.yaml"
    rules.write_text(json.dumps({"version": 1, "flags": {"connection_pooling": {"otherwise": "rust"}}}))
    words = [sys.executable, "-P", "-c", INTERRUPTED, server.url + "/hang", str(rules)]
    words = [word for word in words if word != "-P" or sys.version_info >= (3, 11)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    try:
        assert "sent\n" == process.stdout.readline()
        assert server.has_received.wait(30)
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=30)
    finally:
        watchdog.cancel()
        process.kill()

    assert "interrupted {}\nhello\n" == told
    assert (0, True) == (process.returncode, server.has_left.wait(10))
