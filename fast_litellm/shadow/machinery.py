"""
The one hook through which everything goes that fails inside this room.

Nothing here may reach a caller, so errors are caught widely; each of them is counted and the first of its kind is
logged.
"""

from __future__ import annotations

from collections import Counter
from typing import Dict, Tuple

from fast_litellm import events
from fast_litellm.errors import is_of_exit

_failures: Counter[Tuple[str, str]] = Counter()
_MAX_KINDS = 256


def failed(operation: str, error: BaseException) -> None:
    """
    Count an error, and log the first of its operation and class. Never raises.

    Args:
        operation: What was being done: a short fixed word.
        error: What happened. Only its class name is kept: messages quote content.
    """
    kind = (operation, type(error).__qualname__)
    if kind not in _failures and len(_failures) >= _MAX_KINDS:
        kind = (operation, "other")
    _failures[kind] += 1
    if _failures[kind] > 1:
        return
    try:
        events.logger("shadow").error(events.MACHINERY_FAILED, operation=kind[0], exception_class=kind[1])
    except BaseException as logging_error:
        _failures["log", type(logging_error).__qualname__] += 1


def not_started(operation: str, error: RuntimeError) -> None:
    """
    Count that a thread could not be started. While the interpreter shuts down that is no failure: what the thread would
    have done is done by whoever closes, or ends with the process.

    Args:
        operation: What was being done: a short fixed word.
        error: What starting the thread has raised.
    """
    if not is_of_exit(error):
        failed(operation, error)


def failures() -> Dict[str, int]:
    """
    Returns:
        How often each "operation: class name" has failed in this process.
    """
    return {f"{operation}: {name}": count for (operation, name), count in sorted(_failures.items())}


def forget() -> None:
    """Start counting afresh, so that the next error of each kind is logged again."""
    _failures.clear()
