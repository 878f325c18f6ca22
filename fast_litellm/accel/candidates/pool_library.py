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
from importlib import util
from types import ModuleType
from typing import List, Optional

from fast_litellm.errors import try_to_start

_NAME = "pyreqwest.client"


def loaded() -> Optional[ModuleType]:
    """
    Returns:
        pyreqwest's module of clients; None where it is not installed or cannot be loaded.
    """
    if not _is_installed():
        return None
    if _NAME in sys.modules or threading.current_thread() is threading.main_thread():
        return _imported()
    return _imported_apart()


@functools.cache
def _is_installed() -> bool:
    return util.find_spec(_NAME.partition(".")[0]) is not None


def _imported_apart() -> Optional[ModuleType]:
    found: List[Optional[ModuleType]] = []
    is_over = threading.Event()

    def load_and_stay() -> None:
        try:
            found.append(_imported())
        finally:
            is_over.set()
        if found[0] is not None:  # what cannot be loaded is tried again, by another thread
            threading.Event().wait()

    try:
        is_started = try_to_start(threading.Thread(target=load_and_stay, name="fast-litellm-pyreqwest", daemon=True))
    except RuntimeError:  # no room for one more
        return None
    if is_started:
        is_over.wait()
    return found[0] if found else None


def _imported() -> Optional[ModuleType]:
    """Whatever a broken installation raises, its requests are the original's."""
    try:
        return importlib.import_module(_NAME)
    except Exception:
        return None
