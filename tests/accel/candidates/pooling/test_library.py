"""Loading pyreqwest, whose allocator belongs to the thread that loads it."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from fast_litellm.accel.candidates import pool_library

pytest.importorskip("pyreqwest")

_SHORT_LIVED = """
import threading
from fast_litellm.accel.candidates import pool_library

built = []

def build():
    built.extend(pool_library.loaded().SyncClientBuilder().build() for _ in range(100))

for _ in range(4):
    thread = threading.Thread(target=build)
    thread.start()
    thread.join()
print(len(built))
"""


def test_threads_that_end_may_be_the_first_to_use_it():
    """In a process of its own, which would crash."""
    command = [sys.executable, "-c", _SHORT_LIVED]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert (0, "400\n") == (ended.returncode, ended.stdout), ended.stderr


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """An installation that cannot be imported."""
    (tmp_path / "broken_library").mkdir()
    (tmp_path / "broken_library" / "__init__.py").write_text("raise RuntimeError('broken')")
    monkeypatch.syspath_prepend(tmp_path)
    return "broken_library.client"


def in_threads(name, monkeypatch):
    """What is loaded in this thread, and in another one."""
    monkeypatch.setattr(pool_library, "_NAME", name)
    pool_library._is_installed.cache_clear()
    found = [pool_library.loaded()]
    thread = threading.Thread(target=lambda: found.append(pool_library.loaded()))
    thread.start()
    thread.join(10)
    pool_library._is_installed.cache_clear()
    return found


def test_what_is_not_installed_is_nothing(monkeypatch):
    """In whichever thread."""
    assert [None, None] == in_threads("not_there.client", monkeypatch)


def test_what_cannot_be_imported_is_nothing(monkeypatch, broken):
    """And nobody waits for it, nor stays because of it."""
    before = threading.active_count()

    assert [None, None] == in_threads(broken, monkeypatch)
    for thread in threading.enumerate():
        if thread.name == "fast-litellm-pyreqwest":
            thread.join(0.2)
    assert before >= threading.active_count()
