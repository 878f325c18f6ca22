"""
The port through which this room reaches native code: what it needs, and who provides it.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Protocol, Tuple

from fast_litellm.errors import NativeModuleError


class Ticket(Protocol):
    """A call whose comparison has begun. It ends once; one that is dropped is shed as "abandoned"."""

    def compare(self, outcome: str, digest: int = ..., /) -> None: ...

    def shed(self, reason: str, /) -> None: ...


class Tally(Protocol):
    """The counters of one feature. Every method counts one transition; a reading is always consistent in itself."""

    def open(self, epoch: str, ring: Any = ..., /) -> bool: ...

    def forget(self, epoch: str, /) -> Optional[Tuple[Dict[str, Any], List[Dict[str, Any]]]]: ...

    def decline(self, reason: str, /) -> None: ...

    def accept(self, shape: int = ..., /) -> Ticket: ...

    def shed(self, reason: str, shape: int = ..., /) -> None: ...

    def sample_out(self, shape: int = ..., /) -> None: ...

    def reset(self) -> None: ...

    def reading(self) -> Dict[str, Any]: ...

    def blocks(self) -> List[Tuple[str, Dict[str, Any], List[Dict[str, Any]]]]: ...


class Memory(Protocol):
    """What comparisons may keep in memory, in bytes. Several runners can share it."""

    @property
    def taken(self) -> int: ...

    def take(self, size: int, /) -> bool: ...

    def give(self, size: int, /) -> None: ...


class Room(Protocol):
    """How much may wait for one worker, and how much does. Observers ask it, and put jobs through it, natively."""

    @property
    def queued(self) -> int: ...

    def refusal(self) -> Optional[str]: ...

    def ending(self) -> Optional[str]: ...

    def reserve(self, size: int, /) -> Optional[str]: ...

    def release(self, size: int, /) -> None: ...

    def arrive(self) -> None: ...

    def depart(self) -> None: ...

    def attend(self, put: Callable[[Any], object], /) -> None: ...

    def abandon(self) -> None: ...

    def close(self) -> None: ...

    def empty(self) -> None: ...

    def enter(self) -> None: ...

    def leave(self) -> None: ...


class Bucket(Protocol):
    """A token bucket of processor time, in nanoseconds."""

    def ease(self) -> float: ...

    def reserve(self) -> float: ...

    def settle(self, reserved: float, spent: float, /) -> None: ...

    def spend(self, spent: float, /) -> None: ...

    def refill(self) -> None: ...


class Observer(Protocol):
    """The caller's path of a compared call. Only what the control raises comes out of it."""

    def __call__(
        self,
        args: Tuple[Any, ...],
        kwargs: Optional[Dict[str, Any]],
        control: Optional[Callable[..., Any]] = ...,
        /,
    ) -> Any: ...

    def prepare(self, args: Tuple[Any, ...], kwargs: Optional[Dict[str, Any]], /) -> Optional[Any]: ...

    def submit(self, job: Any, value: Any, duration_ns: int, /) -> None: ...

    def submit_raised(self, job: Any, observation: Any, /) -> None: ...

    def submit_served(self, job: Any, value: Any, duration_ns: int, /) -> None: ...

    def abandon(self, job: Any, reason: str, /) -> None: ...

    def after_fork(self) -> None: ...


class Shaper(Protocol):
    """Finds the shapes of one function's calls."""

    def shape(self, args: Tuple[Any, ...], kwargs: Optional[Dict[str, Any]] = ..., /) -> int: ...


class Ring(Protocol):
    """Counters and records in a file that outlives the process."""

    def push(self, record: str, /) -> bool: ...

    def end(self) -> int: ...

    def drop_until(self, end: int, /) -> None: ...


class Rings(Protocol):
    """Makes rings of open files."""

    def __call__(self, descriptor: int, blocks: int, header: str, /) -> Ring: ...

    def size(self, blocks: int, /) -> int: ...


class RateLimit(Protocol):
    """A rate that counts are held against; evidence is the logarithm of an e-value."""

    def below(self, bad: int, total: int) -> float: ...

    def above(self, bad: int, total: int) -> float: ...

    def further(self, alpha: float, bad: int, total: int) -> int: ...


class Engine(Protocol):
    """What the compiled module provides to this room."""

    @property
    def Tally(self) -> Callable[[], Tally]: ...  # noqa: N802 - the name of a class

    @property
    def Ring(self) -> Rings: ...  # noqa: N802 - as above

    def read_ring(
        self, data: bytes, /
    ) -> Tuple[str, List[Tuple[str, Dict[str, Any], List[Dict[str, Any]]]], List[str]]: ...

    def digest(self, key: bytes, value: Any, /) -> int: ...

    def sketch_merge(self, sketches: List[bytes], /) -> bytes: ...

    def sketch_lower_bound(self, sketch: bytes, /) -> int: ...

    @property
    def Shaper(self) -> Callable[[str, List[str], Optional[str]], Shaper]: ...  # noqa: N802 - as above

    @property
    def Memory(self) -> Callable[[int], Memory]: ...  # noqa: N802 - as above

    @property
    def Room(self) -> Callable[..., Room]: ...  # noqa: N802 - as above

    @property
    def Bucket(self) -> Callable[..., Bucket]: ...  # noqa: N802 - as above

    @property
    def Observer(self) -> Callable[..., Observer]: ...  # noqa: N802 - as above

    @property
    def RateLimit(self) -> Callable[[float], RateLimit]: ...  # noqa: N802 - as above

    def rate_upper_bound(self, alpha: float, bad: int, total: int) -> float: ...

    def sign_excess(self, first: int, second: int) -> float: ...

    def sign_interval(self, alpha: float, first: int, second: int) -> Tuple[float, float]: ...

    def freeze(self, value: Any, max_bytes: int = ...) -> Tuple[Any, int]: ...

    def freeze_models(self, value: Any, max_bytes: int = ...) -> Tuple[Any, int]: ...

    def identical(self, control: Any, candidate: Any, /) -> bool: ...

    def shape_values(self, profile: str, shape: int) -> Dict[str, str]: ...

    def shape_cells(self, profile: str, shape: int) -> List[str]: ...

    def shape_with_outcome(self, profile: str, shape: int, *, raised: bool) -> int: ...


_engine: Optional[Engine] = None


def use(engine: Engine) -> None:
    """
    Provide the native code.

    Args:
        engine: The compiled module, or a stand-in with the same parts.
    """
    global _engine
    _engine = engine


def current() -> Engine:
    """
    Returns:
        What `use` was given.

    Raises:
        NativeModuleError: Nothing was provided.
    """
    if _engine is None:
        raise NativeModuleError("fast_litellm.shadow has no native code; import fast_litellm first")
    return _engine
