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


def test_what_is_not_installed_is_nothing(monkeypatch):
    """In whichever thread."""
    monkeypatch.setitem(sys.modules, "pyreqwest.client", None)
    monkeypatch.setattr(pool_library, "_NAME", "pyreqwest.not_there")
    pool_library.loaded.cache_clear()
    found = [pool_library.loaded()]
    pool_library.loaded.cache_clear()
    thread = threading.Thread(target=lambda: found.append(pool_library.loaded()))
    thread.start()
    thread.join(10)
    pool_library.loaded.cache_clear()

    assert [None, None] == found
