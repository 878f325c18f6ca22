"""Installing and uninstalling from many threads at once."""

from __future__ import annotations

import json
import os
import threading

import pytest

import fast_litellm
from fast_litellm.accel import installation, own_pairs

litellm = pytest.importorskip("litellm")
core = pytest.importorskip("litellm.litellm_core_utils.token_counter")

THREADS, CYCLES = 6, 12
DEADLINE_S = 60


@pytest.fixture(autouse=True)
def uninstalled():
    """Every test begins and ends uninstalled."""
    fast_litellm.uninstall()
    yield
    fast_litellm.uninstall()


@pytest.fixture
def rules(tmp_path):
    """A rule file, which is watched in a thread."""
    path = tmp_path / "rollout.yaml"
    path.write_text(json.dumps({"version": 1, "flags": {"token_counting": {"stage": "shadow"}}}), encoding="utf-8")
    return str(path)


def in_threads(works) -> list:
    """Runs functions at once, each in a thread of its own; returns what they raised."""
    raised = []

    def guarded(work):
        try:
            work()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=guarded, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    assert not any(thread.is_alive() for thread in threads), "a thread hangs"
    return raised


def watchers() -> list:
    """The threads that watch rule files."""
    return [thread for thread in threading.enumerate() if thread.name == "fast-litellm-rules"]


def held() -> tuple:
    """What stands at places that an installation changes."""
    return core.token_counter, litellm.completion, litellm.acompletion, litellm.utils.function_setup


def test_racing_installations_leave_nothing_behind(rules):
    """After any number of races the original objects stand again, no watcher runs, and nobody saw an exception."""
    before = held()
    barrier = threading.Barrier(THREADS, timeout=DEADLINE_S)
    cycles = []

    def installs():
        for _ in range(CYCLES):
            barrier.wait()
            fast_litellm.install(rules)
            cycles.append(fast_litellm.status()["installed"])

    def uninstalls():
        for _ in range(CYCLES):
            barrier.wait()
            fast_litellm.uninstall()
            fast_litellm.doctor(litellm="1.106.2")

    raised = in_threads([installs] * (THREADS - 2) + [uninstalls] * 2)
    fast_litellm.uninstall()

    assert (raised, []) == ([], watchers())
    assert all(one is other for one, other in zip(before, held()))
    assert (THREADS - 2) * CYCLES == len(cycles)


def test_what_is_stopped_is_not_connected_or_patched_again(rules):
    """A rule change or a declaration that comes too late finds the door closed."""
    before = held()
    fast_litellm.install(rules)
    stopped = installation._current
    fast_litellm.uninstall()
    pair = own_pairs._feature("late", abs, abs, None, effect_free=True)
    stopped.refresh()
    stopped.connect(pair)

    assert None is pair.runner
    assert all(one is other for one, other in zip(before, held()))


def test_an_installation_that_cannot_start_is_taken_back(rules, monkeypatch):
    """What was in place is out again, and the error is the caller's."""
    before = held()

    def refuse(*_arguments):
        raise OSError("no thread")

    monkeypatch.setattr(installation.FlagManager, "watch", refuse)
    with pytest.raises(OSError, match="no thread"):
        fast_litellm.install(rules)

    assert False is fast_litellm.status()["installed"]
    assert all(one is other for one, other in zip(before, held()))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_child_can_install_although_a_thread_was_installing_at_the_fork(rules):
    """A lock that only the parent could release would stop the child for ever."""
    taken, done = threading.Event(), threading.Event()

    def holds():
        with installation._lifecycle, installation._lock:
            taken.set()
            done.wait(DEADLINE_S)

    holder = threading.Thread(target=holds, daemon=True)
    holder.start()
    taken.wait(DEADLINE_S)
    child = os.fork()
    if child == 0:
        free = installation._lifecycle.acquire(timeout=1) and installation._lock.acquire(timeout=1)
        os._exit(0 if free else 1)
    done.set()
    holder.join(DEADLINE_S)

    assert (child, 0) == os.waitpid(child, 0)
