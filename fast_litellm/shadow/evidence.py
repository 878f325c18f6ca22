"""
What a ledger knows of one epoch, in the form in which it is judged and shown.

Counts are summed over all processes. Shapes are the finest division of calls that is kept; cells, which are what the
gate certifies, are sums over the shapes that have them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping, Optional, Tuple

from fast_litellm.shadow.observation import Epoch


@dataclass(frozen=True)
class Account:
    """
    What became of calls: `offered = sampled_out + compared + sum(shed.values()) + in_flight`.

    Args:
        offered: Calls that could have been compared.
        sampled_out: Left out by the sample.
        matched: Compared, without a difference.
        waived: Compared, with an accepted difference.
        diverged: Compared, with a difference.
        in_flight: Accepted and not compared yet.
        shed: Given up, by reason.
    """

    offered: int = 0
    sampled_out: int = 0
    matched: int = 0
    waived: int = 0
    diverged: int = 0
    in_flight: int = 0
    shed: Mapping[str, int] = field(default_factory=dict)

    @property
    def compared(self) -> int:
        """Calls of which both sides were compared."""
        return self.matched + self.waived + self.diverged


@dataclass(frozen=True)
class ShapeEvidence:
    """
    The calls of one shape.

    Args:
        shape: Its number in its profile.
        values: Dimension to value, such as `{"unicode": "rtl"}`; empty for calls whose shape is not known.
        account: What became of them.
        distinct: At least so many different inputs were compared.
    """

    shape: int
    values: Mapping[str, str]
    account: Account
    distinct: int = 0


@dataclass(frozen=True)
class ClassEvidence:
    """
    One divergence class.

    Args:
        fingerprint: Its name.
        kind: How the sides differ.
        state: "noise" | "new" | "confirmed" | "waived".
        count: Comparisons that fell into it.
        is_waived: Somebody has accepted it, and the acceptance has neither expired nor been used up.
    """

    fingerprint: str
    kind: str
    state: str
    count: int
    is_waived: bool = False


@dataclass(frozen=True)
class Timings:
    """
    Pairs of runs of both sides on the same input, in random order on one thread.

    Args:
        pairs: How many.
        faster: Pairs in which the candidate took less time.
        tail: Pairs in which it took more than twice the control's time and more than the control's plus a millisecond.
        ratio: The median of candidate time over control time; None without pairs.
        cpu_ratio: The same in processor time.
    """

    pairs: int = 0
    faster: int = 0
    tail: int = 0
    ratio: Optional[float] = None
    cpu_ratio: Optional[float] = None


@dataclass(frozen=True)
class Quantiles:
    """
    How long calls took, in nanoseconds, up to 2 % too high.

    Args:
        calls: How many there were.
        p50: Half of them took no longer.
        p90: Nine in ten took no longer.
        p99: Ninety-nine in a hundred took no longer.
    """

    calls: int
    p50: float
    p90: float
    p99: float


@dataclass(frozen=True)
class Latency:
    """
    What compared calls took on the wall, each side where it ran: the side that answered on its caller's thread, the
    other mostly on another. Times to be held against each other are those of pairs.

    Args:
        control: The control's; None before the first comparison.
        candidate: The candidate's.
        cpu_ns: Processor time of all comparisons, with every run that they took.
    """

    control: Optional[Quantiles] = None
    candidate: Optional[Quantiles] = None
    cpu_ns: int = 0


@dataclass(frozen=True)
class Evidence:
    """
    One epoch's evidence.

    Args:
        epoch: What it belongs to.
        profile: The table of dimensions of its shapes: "chat" | "plain".
        opened_at: When its first counter was written, in seconds since 1970.
        account: The sum over all shapes.
        shapes: The calls by shape.
        classes: Its divergence classes.
        kinds: Comparisons that did not match, by kind, waived ones included.
        timings: Paired timings.
        hosts: Hosts that have compared.
        processes: Processes that are alive.
        silent: Processes that were alive and have not been heard of for a minute.
        heard_at: When any process last wrote, in seconds since 1970.
        per_second: Distinct inputs compared a second, lately; None while unknown.
    """

    epoch: Epoch
    profile: str
    opened_at: float
    account: Account = Account()
    shapes: Tuple[ShapeEvidence, ...] = ()
    classes: Tuple[ClassEvidence, ...] = ()
    kinds: Mapping[str, int] = field(default_factory=dict)
    timings: Timings = Timings()
    latency: Latency = Latency()
    hosts: int = 0
    processes: int = 0
    silent: int = 0
    heard_at: float = 0.0
    per_second: Optional[float] = None

    @property
    def accepted(self) -> Tuple[ClassEvidence, ...]:
        """The classes that somebody has accepted."""
        return tuple(found for found in self.classes if found.is_waived)

    @property
    def unaccepted(self) -> Tuple[ClassEvidence, ...]:
        """The classes that speak against the candidate."""
        return tuple(found for found in self.classes if not found.is_waived and found.state != "noise")

    @property
    def unclassed(self) -> int:
        """Divergences that belong to no accepted class."""
        return max(self.account.diverged - sum(found.count for found in self.accepted), 0)

    @property
    def is_accepted(self) -> bool:
        """Whether somebody has accepted every divergence there was."""
        return not self.unaccepted and not self.unclassed
