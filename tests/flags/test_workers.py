"""Servers that fork, each in a way of its own: every process keeps seeing changes of the rule file."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from .conftest import ON

SECONDS = 90
"""After which a test that hangs is ended."""

SERVED = """
    import os, sys, threading
    from fast_litellm.flags import FlagManager, file_events

    file_events.INTERVAL = 1000.0  # nothing is seen by polling: each process has to listen for itself
    manager = FlagManager.from_file(os.environ["RULES"])
    changed = threading.Event()
    manager.subscribe(changed.set)
    manager.watch()

    def tell(*words):
        os.write(1, (" ".join(map(str, words)) + "\\n").encode())

    def follow():
        while manager.stage("parser") != "on" and changed.wait(60):
            changed.clear()
        return os.getpid(), manager.stage("parser"), manager.status()["watching"]

    def work():
        tell("ready")
        tell(*follow())
"""

FORK = """
    from served import *

    children = []
    for _ in range(2):
        children.append(os.fork())
        if not children[-1]:
            work()
            os._exit(0)
    work()
    for child in children:
        os.waitpid(child, 0)
"""

MULTIPROCESSING = """
    import multiprocessing
    from served import *

    if __name__ == "__main__":
        context = multiprocessing.get_context(sys.argv[1])
        children = [context.Process(target=work) for _ in range(2)]
        for child in children:
            child.start()
        work()
        for child in children:
            child.join()
"""

WSGI = """
    from served import *

    def app(environ, start_response):
        tell("ready")
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [" ".join(map(str, follow())).encode()]
"""

CELERY = """
    import celery
    from celery.signals import worker_ready
    from served import *

    app = celery.Celery("tasks", broker="memory://")

    @app.task
    def run():
        work()

    @worker_ready.connect
    def begin(**_):
        run.delay()
        run.delay()
"""

UVLOOP = """
    import asyncio
    import uvloop
    from served import *

    async def start_programs():
        for preexec in (None, lambda: None):
            for _ in range(10):
                program = await asyncio.create_subprocess_exec("true", preexec_fn=preexec)
                assert await asyncio.wait_for(program.wait(), 30) == 0

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(start_programs())
    tell("ready")
    tell(*asyncio.run(asyncio.to_thread(follow)))
"""

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


class Server:
    """A process and all that it starts, as one group."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def end(self) -> None:
        """Ends the whole group: nothing outlives its test."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(SECONDS)
        self.process.stdout.close()

    def ready(self, count: int) -> None:
        """Waits until so many workers wait for a change."""
        assert ["ready\n"] * count == [self.process.stdout.readline() for _ in range(count)]

    def told(self, count: int) -> list[list[str]]:
        """Returns the process, stage and way of so many workers."""
        return [self.process.stdout.readline().split() for _ in range(count)]


@pytest.fixture
def serve(tmp_path, rules, monkeypatch):
    """Starts a program in a group of its own that ends with the test, or when it takes too long."""
    monkeypatch.setenv("RULES", str(rules))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    started, timers = [], []

    def start(text: str, *arguments: str) -> Server:
        for name, source in (("served", SERVED), ("program", text)):
            (tmp_path / f"{name}.py").write_text(re.sub("^    ", "", source, flags=re.MULTILINE))
        process = subprocess.Popen(
            [sys.executable, *arguments], stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        started.append(Server(process))
        timers.append(threading.Timer(SECONDS, process.kill))
        timers[-1].start()
        return started[-1]

    yield start
    for timer in timers:
        timer.cancel()
    for server in started:
        server.end()


def seen(told: list[list[str]]) -> tuple[int, set[tuple[str, str]]]:
    """Returns how many processes there were, and what they said."""
    return len({process for process, *_ in told}), {(stage, way) for _, stage, way in told}


@needs_fork
def test_forked_children_and_their_parent_see_changes(serve, rules, replace):
    """Each listens for itself; none takes the others' notices away."""
    server = serve(FORK, "program.py")
    server.ready(3)
    replace(rules, ON)

    assert (3, {("on", "events")}) == seen(server.told(3))
    assert 0 == server.process.wait(SECONDS)


@pytest.mark.parametrize(
    "method", [pytest.param("fork", marks=needs_fork), "spawn", pytest.param("forkserver", marks=needs_fork)]
)
def test_processes_of_multiprocessing_see_changes(serve, rules, replace, method):
    """However they are started."""
    server = serve(MULTIPROCESSING, "program.py", method)
    server.ready(3)
    replace(rules, ON)

    assert (3, {("on", "events")}) == seen(server.told(3))
    assert 0 == server.process.wait(SECONDS)


@needs_fork
def test_preloaded_gunicorn_workers_see_changes(serve, rules, replace, tmp_path):
    """The rules are loaded by the arbiter before there is a worker."""
    port_file = tmp_path / "port"
    hook = f"when_ready = lambda s: open({str(port_file)!r}, 'w').write(str(s.LISTENERS[0].sock.getsockname()[1]))\n"
    (tmp_path / "gunicorn.conf.py").write_text(hook + "post_worker_init = lambda w: print('ready', flush=True)\n")
    server = serve(WSGI, "-m", "gunicorn", "--preload", "--workers=2", "--bind=127.0.0.1:0", "program:app")
    server.ready(2)
    address = f"http://127.0.0.1:{port_file.read_text()}/"
    with ThreadPoolExecutor(2) as threads:
        asked = [threads.submit(_get, address) for _ in range(2)]
        server.ready(2)
        replace(rules, ON)

        assert (2, {("on", "events")}) == seen([answer.result().split() for answer in asked])


def _get(address: str) -> str:
    with urllib.request.urlopen(address, timeout=SECONDS) as answer:
        return answer.read().decode()


@needs_fork
def test_preforked_celery_workers_see_changes(serve, rules, replace):
    """The rules are loaded when the application is imported, before the pool is made."""
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=ERROR"]
    server = serve(CELERY, "-m", "celery", "-q", "-A", "program", "worker", "--pool=prefork", "-c", "2", *quiet)
    while "ready\n" != (line := server.process.stdout.readline()):
        assert line, "the worker ended before it began"
    server.ready(1)
    replace(rules, ON)

    assert (2, {("on", "events")}) == seen(server.told(2))


@needs_fork
def test_programs_started_under_uvloop_freeze_nothing(serve, rules, replace):
    """It runs the hooks of a fork before the program takes over; the parent goes on and sees changes."""
    server = serve(UVLOOP, "program.py")
    server.ready(1)
    replace(rules, ON)

    assert (1, {("on", "events")}) == seen(server.told(1))
    assert 0 == server.process.wait(SECONDS)
