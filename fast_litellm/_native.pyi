"""The compiled part; `fast_litellm/accel/native.py` is its only importer. `mypy.stubtest` checks this file."""

from collections.abc import Callable, Sequence
from typing import Any, final

__all__ = [
    "DEBUG_BUILD",
    "Dispatcher",
    "Encoding",
    "FlagHandle",
    "IdentityGuard",
    "Rules",
    "SnapshotCell",
    "StandingPage",
    "Tally",
    "TokenCounter",
    "__version__",
    "blank_page",
    "freeze",
    "json_schema",
    "nearest",
    "parse_percentage",
    "read_rule_objects",
    "read_rule_text",
    "read_word",
    "stop_word",
]

__version__: str
DEBUG_BUILD: bool

@final
class Rules:
    """Rules in which nothing is wrong."""

    @property
    def revision(self) -> str: ...
    def names(self) -> list[str]: ...
    def unused_segments(self) -> list[tuple[str, int]]: ...
    def notes(self, flag: str) -> tuple[str | None, str | None, float, float]:
        """Owner, expiry, percent of calls to compare, percent of a core; the defaults for an undeclared flag."""

def read_rule_text(data: bytes) -> tuple[Rules | None, list[tuple[int, int, str, str]]]:
    """Rules and no problems, or no rules and every problem as line, column, message and hint."""

def read_rule_objects(rules: object) -> tuple[Rules | None, list[tuple[int, int, str, str]]]: ...
def parse_percentage(text: str) -> tuple[int | None, str]:
    """Millionths and an empty hint, or None and a hint."""

def nearest(word: str, allowed: Sequence[str]) -> str:
    """A hint that names the allowed word most like this one; empty when none is."""

def json_schema() -> str: ...

@final
class SnapshotCell:
    """The rules in force: one pointer that is swapped as a whole."""

    def __new__(
        cls, rules: Rules, process: str, decision_type: type, page: StandingPage | None = None
    ) -> SnapshotCell: ...
    @property
    def revision(self) -> str: ...
    def stand(self, flag: str, word: int) -> None: ...
    def swap(self, rules: Rules, process: str) -> None: ...
    def decide(self, flag: object, unit: object | None = None, attributes: object | None = None) -> Any: ...
    def serve(self, flag: object, unit: object | None = None, attributes: object | None = None) -> str: ...
    def bind(self, flag: str) -> FlagHandle: ...
    def stages(self) -> dict[str, str]: ...
    def describe(self, flag: str) -> str | None: ...
    def explain(
        self, flag: str, unit: object | None = None, attributes: object | None = None, moment: int | None = None
    ) -> str | None: ...

@final
class StandingPage:
    """The standings of flags in memory that other processes read and write."""

    def __new__(cls, descriptor: int) -> StandingPage: ...
    def stand(self, flag: str, word: int) -> bool: ...
    def trip(self, flag: str, word: int) -> bool | None: ...
    def entry(self, flag: str) -> tuple[int, int, int, int] | None: ...

@final
class FlagHandle:
    """One flag of a cell; calling it gives the name of the implementation that serves."""

    @property
    def name(self) -> str: ...
    def serve(self, unit: object | None = None, attributes: object | None = None, /) -> str: ...
    def __call__(self, unit: object | None = None, attributes: object | None = None, /) -> str: ...
    def record(
        self, implementation: str, nanos: int, is_error: bool, now_ms: int | None = None, /
    ) -> tuple[str, int, int, str, tuple[int, int, int], tuple[int, int, int]] | None: ...
    def figures(self, now_ms: int | None = None, /) -> tuple[tuple[int, int, int], tuple[int, int, int]] | None: ...

@final
class Tally:
    """
    The counters of one feature.

    At every reading: offered == sampled_out + compared + sum(shed.values()) + in_flight.
    """

    def __new__(cls) -> Tally: ...
    def serve(self, implementation: str) -> None: ...
    def decline(self, reason: str) -> None: ...
    def fail(self, kind: str) -> None: ...
    def sample_out(self) -> None: ...
    def accept(self) -> None: ...
    def compare(self, outcome: str) -> None: ...
    def shed(self, reason: str, accepted: bool) -> None: ...
    def reset(self) -> None: ...
    def reading(self) -> dict[str, Any]: ...

@final
class Dispatcher:
    """Stands at a seam and answers with the control or with the candidate."""

    def __new__(cls, control: Callable[..., Any], tally: Tally, *, effect_free: bool) -> Dispatcher: ...
    def connect(
        self,
        handle: object,
        context: object,
        candidate: object,
        observe: Callable[..., Any],
        failed: Callable[[str], None],
        concluded: Callable[..., None] | None = None,
        /,
    ) -> None: ...
    def disconnect(self) -> None: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
    def __get__(self, instance: object, owner: object | None = None, /) -> Any: ...
    def __reduce__(self) -> str: ...

@final
class Encoding:
    """One of tiktoken's encodings, able to count and nothing else."""

    @staticmethod
    def from_tiktoken(name: str, data: bytes) -> Encoding: ...
    @property
    def name(self) -> str: ...
    def count(self, text: str) -> int: ...
    def count_chunked(self, text: str, chunk_chars: int, max_exact_chars: int) -> int: ...

@final
class TokenCounter:
    """Counts text and messages for models that share an encoding and an accounting."""

    def __new__(
        cls, encoding: Encoding, limits: tuple[int, int], semantics: str, *, legacy: bool, base_image_tokens: int
    ) -> TokenCounter: ...
    def count_text(self, text: str) -> int: ...
    def count_messages(
        self,
        messages: object,
        tools: object,
        tool_choice: object,
        *,
        fixed_image_tokens: int | None,
        with_extras: bool,
    ) -> int: ...

@final
class IdentityGuard:
    """Remembers which objects stand under names of namespaces and classes, and which entries tables have."""

    def __new__(
        cls, places: Sequence[tuple[dict[str, Any] | type, str]], tables: Sequence[dict[Any, Any]] = ...
    ) -> IdentityGuard: ...
    def holds(self) -> bool: ...

@final
class Transformer:
    """Rebuilds request bodies by compiled types."""

    def __new__(
        cls,
        nodes: Sequence[tuple[dict[str, int] | None, int | None, bool, int | None]],
        not_given: Sequence[type],
        /,
    ) -> Transformer: ...
    def apply(self, body: object, root: int, /) -> Any: ...

def secret_starts(text: str, /) -> list[int]:
    """Every place, in code points, where LiteLLM's expression for secrets could match."""

def freeze(value: object, max_bytes: int = ...) -> tuple[Any, int]:
    """Deep copy of plain builtin values and its approximate size in bytes."""

def blank_page() -> bytes:
    """The content of a page's file before anything has happened."""

def stop_word(cause: str, until: int | None = None, retry: int = ...) -> int:
    """The word for a stop: why, until when in Unix milliseconds, how many of a million units try again then."""

def read_word(word: int, now: int) -> tuple[str, int | None, int] | None:
    """Why, until when, and how many of a million units are tried at a moment; None when all are."""
