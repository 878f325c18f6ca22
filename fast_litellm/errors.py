"""
Every exception this package raises.

    FastLiteLLMError
    ├── RuleError            a rule file could not be used; carries every problem found in it
    ├── UnknownFlagError     a flag was named that no loaded rule file declares
    ├── LedgerError          the ledger could not be opened, read or written
    ├── NativeModuleError    the compiled part is missing or was built from another version
    ├── SeamError            a seam could not be declared or installed
    └── MissingExtraError    an optional module was imported without the packages it needs

Two further classes are signals between a candidate, the native module and the dispatcher; they never reach a caller:

    Declined                 a candidate refuses a call before it has done anything; Python answers
    Unsnapshotable           an argument has a type of which no frozen copy can be made
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading


class FastLiteLLMError(Exception):
    """The base of every error a caller of this package can meet."""


@dataclass(frozen=True)
class Problem:
    """
    One thing that is wrong with a rule file.

    Args:
        file: The path as it was given, or "<dict>" for rules that came from memory.
        line: 1-based line, 0 when the problem has no place in the file.
        column: 1-based column, 0 when the problem has no place in the file.
        message: What was expected and what came.
        hint: What to do about it; empty when there is nothing to add.
    """

    file: str
    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        hint = f"\n    hint: {self.hint}" if self.hint else ""
        return f"{place}: {self.message}{hint}"


class RuleError(FastLiteLLMError):
    """
    A rule file could not be used. Every problem is listed at once, in the order of the file.

    Args:
        problems: At least one problem.
    """

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class UnknownFlagError(FastLiteLLMError):
    """A flag was named that no loaded rule file declares."""


class LedgerError(FastLiteLLMError):
    """The ledger could not be opened, read or written."""


class PromotionError(FastLiteLLMError):
    """A feature could not be moved to another step of its plan."""


class NativeModuleError(FastLiteLLMError):
    """The compiled part of the package is missing or belongs to another version."""


class SeamError(FastLiteLLMError):
    """A seam could not be declared or installed."""


class MissingExtraError(FastLiteLLMError, ImportError):
    """
    An optional module was imported without the packages it needs.

    Args:
        module: The module that was imported.
        extra: The extra of this package that brings what is missing.
    """

    def __init__(self, module: str, extra: str) -> None:
        super().__init__(
            f"{module} needs packages that are not installed\n    hint: pip install 'fast-litellm[{extra}]'"
        )


_REASON = re.compile(r"[ -~]{1,64}")


class Declined(Exception):  # noqa: N818 - a signal, not an error: Python answers the call
    """
    A candidate refuses a call before it has done anything, and the control answers.

    Args:
        reason: A short word from a fixed set, such as "custom_tokenizer". It is counted and shown, so it must never
            contain anything of the call itself. What is not a line of at most 64 printable ASCII characters is
            "unspecified".
    """

    def __init__(self, reason: str = "unspecified") -> None:
        self.reason = reason if type(reason) is str and _REASON.fullmatch(reason) else "unspecified"
        super().__init__(self.reason)


class Unsnapshotable(Exception):  # noqa: N818 - a signal, not an error: the comparison is shed and counted
    """
    An argument has a type of which no frozen copy can be made.

    Args:
        type_name: The name of that type. Type names are not content and may be stored.
    """

    def __init__(self, type_name: str) -> None:
        super().__init__(type_name)
        self.type_name = type_name


def is_of_exit(error: BaseException) -> bool:
    """
    Args:
        error: What starting a thread has raised.

    Returns:
        Whether it did because the interpreter is shutting down: at some moment of its end no Python starts any, and
        Python 3.12.1 none for functions that run at exit. A process without room for one more is told something else.
    """
    return "interpreter shutdown" in str(error)


def try_to_start(thread: threading.Thread) -> bool:
    """
    Args:
        thread: One that has not been started.

    Returns:
        Whether it has begun; False when the interpreter is shutting down.

    Raises:
        RuntimeError: The process has no room for one more.
    """
    try:
        thread.start()
    except RuntimeError as error:
        if not is_of_exit(error):
            raise
        return False
    return True
