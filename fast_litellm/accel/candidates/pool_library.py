"""
Loading pyreqwest.

Its allocator belongs to the thread that loads it: once that one has ended, the next use in another thread crashes the
process (seen with 0.15.1, without this package). So it is loaded by a thread that does not end.
"""

from __future__ import annotations

import functools
import importlib
import sys
import threading
from types import ModuleType
from typing import List, Optional

from fast_litellm.errors import try_to_start

_NAME = "pyreqwest.client"


@functools.cache
def loaded() -> Optional[ModuleType]:
    """
    Returns:
        pyreqwest's module of clients; None where it is not installed.
    """
    if _NAME not in sys.modules and threading.current_thread() is not threading.main_thread():
        return _loaded_apart()
    return _imported()


def _loaded_apart() -> Optional[ModuleType]:
    found: List[Optional[ModuleType]] = []
    is_loaded = threading.Event()

    def load_and_stay() -> None:
        found.append(_imported())
        is_loaded.set()
        threading.Event().wait()

    if not try_to_start(threading.Thread(target=load_and_stay, name="fast-litellm-pyreqwest", daemon=True)):
        return None
    is_loaded.wait()
    return found[0]


def _imported() -> Optional[ModuleType]:
    try:
        return importlib.import_module(_NAME)
    except ImportError:
        return None
