"""
What flags need of native code, and the place where it is handed in.

Whoever compiles rules registers itself with `use`; this room neither knows nor cares where it comes from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, List, Optional, Protocol, Sequence, Tuple

if TYPE_CHECKING:
    from fast_litellm.flags.decision import Decision


class Rules(Protocol):
    """Rules in which nothing is wrong."""

    @property
    def revision(self) -> str:
        """What names these rules."""

    def names(self) -> List[str]:
        """Returns the flags that are declared, in the order of their names."""

    def unused_segments(self) -> List[Tuple[str, int]]:
        """Returns the segments that nothing names, and their lines."""

    def notes(self, flag: str) -> Tuple[Optional[str], Optional[str], float, float]:
        """Returns owner, expiry, percent of calls to compare and percent of a core; the defaults if undeclared."""

    def comparing(self, flag: str) -> Tuple[str, int, int]:
        """Returns mode, deadline in milliseconds and memory in bytes of a flag's comparisons."""

    def candidate(self, flag: str) -> str:
        """Returns the implementation of a flag that is compared and promoted."""

    def gate(self, flag: str) -> str:
        """Returns what is written of a flag's gate, as JSON."""

    def plan(self, flag: str) -> Tuple[bool, List[Tuple[str, int, Optional[int]]]]:
        """Returns whether the gate takes the next step, and the steps: as written, millionths, milliseconds."""


Outcome = Tuple[Optional[Rules], List[Tuple[int, int, str, str]]]
"""Rules and no problems, or no rules and every problem as line, column, message and hint."""


class FlagHandle(Protocol):
    """One flag, for callers that ask for it often; it follows every reload."""

    @property
    def name(self) -> str:
        """The flag's name."""

    def serve(self, unit: object = None, attributes: object = None, /) -> str:
        """Returns the same as a call of the handle, which is a little quicker."""

    def __call__(self, unit: object = None, attributes: object = None, /) -> str:
        """Returns who serves the call; never raises."""

    def record(
        self, implementation: str, nanos: int, is_error: bool, now_ms: Optional[int] = None, /
    ) -> Optional[Tuple[Any, ...]]:
        """Counts a call for the flag's guard; returns the fields of a `Finding`, None when there is none."""

    def figures(self, now_ms: Optional[int] = None, /) -> Optional[Tuple[Tuple[int, int, int], Tuple[int, int, int]]]:
        """Returns calls, errors and p99 in nanoseconds of candidate and control; None when the flag has no guard."""


class StandingPage(Protocol):
    """Flags' standings, one word each, in memory that other processes share."""

    def stand(self, flag: str, word: int) -> bool:
        """Writes a standing; returns False when there is no room for another flag."""

    def trip(self, flag: str, word: int) -> Optional[bool]:
        """Writes a guard's standing unless a person has stopped the flag; None when there is no room for it."""

    def entry(self, flag: str) -> Optional[Tuple[int, int, int, int]]:
        """Returns the word, the Unix milliseconds of its last change, by which process, and how often it stopped."""


class Listener(Protocol):
    """Hears of changes of files and links, from when it is made until it is closed."""

    def wait(self, seconds: float, patience: float, /) -> None:
        """Waits at most so many seconds for a change; for the end of changes no longer than its patience."""

    def ring(self) -> None:
        """Ends the waiting, or the next one if nobody waits."""

    def close(self) -> None:
        """Stops listening."""


class Serve(Protocol):
    """Who serves one call, by a flag's name; never raises."""

    def __call__(self, flag: object, unit: object = None, attributes: object = None) -> str:
        """Returns python, rust or the name of another implementation."""


class SnapshotCell(Protocol):
    """The rules in force, compiled. Only `swap` raises: ValueError for what is no rule document."""

    @property
    def revision(self) -> str:
        """The revision of the rules in force."""

    def swap(self, rules: Rules, process: str) -> None:
        """Replaces the rules."""

    def stand(self, flag: str, word: int) -> None:
        """Stops or releases a flag in this process."""

    def decide(self, flag: object, unit: object = None, attributes: object = None) -> Decision:
        """Decides one call."""

    def serve(self, flag: object, unit: object = None, attributes: object = None) -> str:
        """Returns who serves one call."""

    def bind(self, flag: str) -> FlagHandle:
        """Binds one flag."""

    def stages(self) -> dict[str, str]:
        """Returns every flag's stage."""

    def follows_plan(self, flag: str) -> bool:
        """Returns whether the step of its plan decides what a flag serves where no rule does."""

    def describe(self, flag: str) -> Optional[str]:
        """Returns what a flag would do as JSON, None when it is not declared."""

    def explain(
        self, flag: str, unit: object = None, attributes: object = None, moment: Optional[int] = None
    ) -> Optional[str]:
        """Decides one call, now or at a Unix millisecond, and returns why as JSON, None when the flag is undeclared."""


class Engine(Protocol):
    """Compiles and evaluates rules."""

    def SnapshotCell(  # noqa: N802 - a class there
        self, rules: Rules, process: str, decision_type: type, page: Optional[StandingPage] = None, /
    ) -> SnapshotCell:
        """Compiles rules and what the process adds to them, as JSON; ValueError for what is none."""

    def StandingPage(self, descriptor: int, /) -> StandingPage:  # noqa: N802 - a class there
        """Maps an open file; OSError when it cannot be mapped, ValueError when it holds no page."""

    def Listener(self, entries: Sequence[str], /) -> Listener:  # noqa: N802 - a class there
        """Listens to the directories of paths for changes of these; OSError for what cannot be listened to."""

    def blank_page(self) -> bytes:
        """Returns what a page's file holds at first."""

    def stop_word(self, cause: str, until: Optional[int] = None, retry: int = 1_000_000, /) -> int:
        """Returns the word for a stop until a time in Unix milliseconds, after which so many of a million units try."""

    def read_word(self, word: int, now: int, /) -> Optional[Tuple[str, Optional[int], int]]:
        """Returns the cause, the end and the millionths that are tried at a time, None when all are."""

    def read_mark(self, word: int, now: int, /) -> Optional[int]:
        """Returns the mark of the build that a word stops because it answered otherwise."""

    def read_rule_text(self, data: bytes, /) -> Outcome:
        """Reads the text of a rule file."""

    def read_rule_objects(self, rules: object, /) -> Outcome:
        """Reads rules from plain objects."""

    def json_schema(self) -> str:
        """Returns the JSON schema of rule files."""

    def parse_percentage(self, text: str, /) -> Tuple[Optional[int], str]:
        """Returns millionths and an empty hint, or None and a hint."""

    def nearest(self, word: str, allowed: Sequence[str], /) -> str:
        """Returns a hint that names the allowed word most like this one; empty when none is."""


_engine: Optional[Engine] = None


def use(engine: Any) -> None:
    """
    Register the implementation.

    Args:
        engine: An object with the attributes of `Engine`.
    """
    global _engine
    _engine = engine


def current() -> Engine:
    """
    The registered implementation.

    Raises:
        RuntimeError: None was registered; `import fast_litellm` does it.
    """
    if _engine is None:
        raise RuntimeError("no rule engine is registered; import fast_litellm first")
    return _engine
