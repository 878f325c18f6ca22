"""
What a runner is told: which two sides to compare, within which limits, and who is told of a difference.
"""

from __future__ import annotations

import inspect
import time
from dataclasses import dataclass
from typing import Any, Callable, Optional, Protocol

from fast_litellm.shadow import engine
from fast_litellm.shadow.candidate import Call, Candidate
from fast_litellm.shadow.comparators import Comparator
from fast_litellm.shadow.observation import Comparison
from fast_litellm.shadow.timing import Spent, Times

_MIB = 1024 * 1024
_NS_PER_MS = 1_000_000

MODES = ("off_path", "inline", "isolated")
"""Where a candidate can run; see `modes`."""


@dataclass(frozen=True)
class Experiment:
    """
    Two implementations of one function.

    Args:
        feature: The flag's name.
        control: The original function. It must be free of effects: it is run again to confirm a difference.
        candidate: The other one.
        comparator: Says whether two returned values are equal.
        profile: By which table of dimensions the shapes of its calls are told: "chat" | "plain".
        request: The parameter whose dict holds the parameters of a chat request, if there is one.
        noise: What is done when the control does not always give the same answer; see `noise`.
        reference: The fingerprint of the control's source, if it is known.
        without_flaw: Returns a call as it would be without a known flaw of the control's, or None if that makes no
            difference. If the control then does what the candidate did, the flaw is all that they differ in.
        premises: The candidate's, if it has one; see `Candidate`.
    """

    feature: str
    control: Callable[..., Any]
    candidate: Candidate
    comparator: Comparator
    profile: str = "plain"
    request: Optional[str] = None
    noise: str = "none"
    reference: str = ""
    without_flaw: Optional[Callable[[Call], Optional[Call]]] = None
    premises: Optional[Callable[..., Any]] = None

    def shaper(self) -> engine.Shaper:
        """
        Returns:
            What names the shapes of its calls.
        """
        try:
            parameters = list(inspect.signature(self.control).parameters)
        except (TypeError, ValueError):  # a function without a signature: its arguments have no names
            parameters = []
        return engine.current().Shaper(self.profile, parameters, self.request)


@dataclass(frozen=True)
class Limits:
    """
    How a candidate is run, how long it may take, and what may wait for it.

    Args:
        mode: How the candidate is run; see `modes`.
        max_jobs: Calls accepted and not yet compared.
        max_bytes: What their copies may keep alive together, approximately.
        memory: The same for several runners, which share it; by default each has `max_bytes` for itself.
        deadline_ms: A candidate that takes longer has the difference "timeout". It is measured when the candidate is
            done.
        patience: How many deadlines one comparison may take, with all its runs. Then it is taken never to end: it is a
            timeout, and its thread is abandoned.
        clock: What durations are measured with, in nanoseconds; monotonic.

    Raises:
        ValueError: There is no such mode.
    """

    mode: str = "off_path"
    max_jobs: int = 10_000
    max_bytes: int = 16 * _MIB
    memory: Optional[engine.Memory] = None
    deadline_ms: float = 1_000
    patience: float = 10
    clock: Callable[[], int] = time.perf_counter_ns

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"mode must be one of {', '.join(MODES)}, not {self.mode!r}")

    @property
    def hang_ns(self) -> float:
        """How long one comparison may take, in nanoseconds."""
        return self.deadline_ms * self.patience * _NS_PER_MS


class Sink(Protocol):
    """
    Who is told of differences and of times. It is called on the worker thread, and with content only by `capture`,
    which keeps none of it that is not sealed.
    """

    @property
    def key(self) -> bytes: ...

    @property
    def lasting_key(self) -> Optional[bytes]: ...

    def accepts(self, feature: str, fingerprint: str, /) -> bool: ...

    def record(self, comparison: Comparison, /) -> object: ...

    def capture(self, comparison: Comparison, call: Call, /) -> object: ...

    def record_times(self, feature: str, times: Times, /) -> None: ...

    def record_spent(self, feature: str, spent: Spent, /) -> None: ...
