"""
What a dashboard shows, as plain data: nothing here knows of a database or of HTML.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping, Optional, Tuple

from fast_litellm.shadow.evidence import Account, Latency

PYTHON = "python"


@dataclass(frozen=True)
class Step:
    """
    One station of a rollout.

    Args:
        label: As the plan names it, such as "5%".
        state: "passed", "present" or "ahead".
    """

    label: str
    state: str


@dataclass(frozen=True)
class Requirement:
    """
    One line of the gate's checklist.

    Args:
        name: What is asked for, in a word.
        holds: Whether it is met.
        saw: What was found, in words.
        needs: What is asked for, in words.
        missing: What has yet to come; empty when it holds.
        seconds_left: When it will hold at the present rate; None when nobody can tell.
    """

    name: str
    holds: bool
    saw: str
    needs: str
    missing: str = ""
    seconds_left: Optional[float] = None


@dataclass(frozen=True)
class Cell:
    """
    One value of a dimension, or one pair of values.

    Args:
        state: "certified", "collecting", "diverged" or "unseen".
        distinct: At least so many different inputs were compared.
        needed: So many without a difference certify it.
        diverged: Comparisons that differed.
    """

    state: str = "unseen"
    distinct: int = 0
    needed: int = 0
    diverged: int = 0


@dataclass(frozen=True)
class Dimension:
    """
    One dimension of the input, value by value, the most compared first.

    Args:
        name: Such as "unicode".
        values: Value to its cell.
    """

    name: str
    values: Mapping[str, Cell]


@dataclass(frozen=True)
class Matrix:
    """
    The pairs of two dimensions.

    Args:
        rows: The dimension down the side.
        columns: The dimension along the top.
        row_values: The values down the side.
        column_values: The values along the top.
        cells: Row by row.
    """

    rows: str
    columns: str
    row_values: Tuple[str, ...]
    column_values: Tuple[str, ...]
    cells: Tuple[Tuple[Cell, ...], ...]

    def count(self, state: str) -> int:
        """How many of its cells are in a state."""
        return sum(cell.state == state for row in self.cells for cell in row)


@dataclass(frozen=True)
class CellMap:
    """
    What of the input space is proven.

    Args:
        certified: Cells that are certified.
        total: Cells that were seen.
        dimensions: Every dimension.
        matrices: Every pair of dimensions.
    """

    certified: int = 0
    total: int = 0
    dimensions: Tuple[Dimension, ...] = ()
    matrices: Tuple[Matrix, ...] = ()


@dataclass(frozen=True)
class Speed:
    """
    How fast the candidate is, from paired runs.

    Args:
        factor: The control's time over the candidate's, the median; above 1 the candidate is faster.
        pairs: How many pairs.
        faster: The share of calls on which the candidate takes less time: the ends of an anytime-valid interval.
        tail: The share of pairs in which it took much longer.
    """

    factor: float
    pairs: int
    faster: Tuple[float, float]
    tail: float


@dataclass(frozen=True)
class Finding:
    """
    One divergence class.

    Args:
        fingerprint: Its name.
        kind: How the sides differ.
        pattern: Where.
        control: What the control gave: a type.
        candidate: What the candidate gave: a type.
        state: "noise", "new", "confirmed", "waived" or "earlier build".
        count: Comparisons that fell into it.
        first_seen: Seconds since 1970.
        last_seen: Seconds since 1970.
        cells: Some of the cells it was seen in.
    """

    fingerprint: str
    kind: str
    pattern: str
    control: str
    candidate: str
    state: str
    count: int
    first_seen: float
    last_seen: float
    cells: Tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it stands against the present candidate."""
        return self.state in {"new", "confirmed"}


@dataclass(frozen=True)
class Entry:
    """
    One line of the audit trail.

    Args:
        at: Seconds since 1970.
        what: Such as "shadow -> 1%".
        actor: Who.
        reason: Why.
    """

    at: float
    what: str
    actor: str
    reason: str


@dataclass(frozen=True)
class Point:
    """
    What was known at one moment.

    Args:
        at: Seconds since 1970.
        bound: The divergence rate that the evidence could not exclude.
    """

    at: float
    bound: float


@dataclass(frozen=True)
class FeaturePicture:
    """
    One feature.

    Args:
        name: The flag's name.
        stage: "off", "shadow", "canary", "on", "paused" or "blocked".
        build: Which candidate.
        facts: What else its evidence belongs to, by name.
        rail: The steps of its plan.
        served: Calls by who answered them.
        decision: The gate's: "promote", "hold" or "roll_back"; empty without evidence.
        checks: The gate's checklist.
        compared: Comparisons.
        distinct: At least so many different inputs among them.
        diverged: Comparisons that differed.
        bound: The divergence rate that the evidence does not exclude, however often somebody looked; None without any.
        target: The rate that must be excluded.
        confidence: With which the bound holds, such as 0.99.
        cells: The map of input shapes.
        speed: Paired timings; None without any.
        latency: What each side took of the compared calls.
        classes: Its divergence classes, those that matter most first.
        account: What became of the calls.
        kinds: Comparisons that did not match, by kind.
        rollbacks: How often it was taken back, by cause: "divergence", "guard" or "manual".
        audit: Who decided what, the latest first.
        progress: The bound over time.
        opened_at: When its evidence began, in seconds since 1970.
    """

    name: str
    stage: str
    build: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    rail: Tuple[Step, ...] = ()
    served: Mapping[str, int] = field(default_factory=dict)
    decision: str = ""
    checks: Tuple[Requirement, ...] = ()
    compared: int = 0
    distinct: int = 0
    diverged: int = 0
    bound: Optional[float] = None
    target: Optional[float] = None
    confidence: float = 0.99
    cells: CellMap = field(default_factory=CellMap)
    speed: Optional[Speed] = None
    latency: Latency = field(default_factory=Latency)
    classes: Tuple[Finding, ...] = ()
    account: Account = field(default_factory=Account)
    kinds: Mapping[str, int] = field(default_factory=dict)
    rollbacks: Mapping[str, int] = field(default_factory=dict)
    audit: Tuple[Entry, ...] = ()
    progress: Tuple[Point, ...] = ()
    opened_at: Optional[float] = None

    @property
    def share(self) -> Optional[float]:
        """The share of calls that Python did not answer; None before the first call."""
        total = sum(self.served.values())
        return 1 - self.served.get(PYTHON, 0) / total if total else None

    @property
    def unmet(self) -> Tuple[Requirement, ...]:
        """What the next step still needs, the longest wait first."""
        missing = [check for check in self.checks if not check.holds]
        return tuple(sorted(missing, key=lambda check: -_wait(check)))

    @property
    def seconds_left(self) -> Optional[float]:
        """When the next step is reached at the present rate; None when nobody can tell."""
        waits = [check.seconds_left for check in self.checks if not check.holds]
        return None if not waits or None in waits else max(wait for wait in waits if wait is not None)

    @property
    def open_classes(self) -> int:
        """Divergence classes that stand against the present candidate."""
        return sum(finding.is_open for finding in self.classes)

    @property
    def accounted(self) -> int:
        """Offered calls whose fate is known; the identity says that it is all of them."""
        account = self.account
        return account.sampled_out + account.compared + sum(account.shed.values()) + account.in_flight


@dataclass(frozen=True)
class Picture:
    """
    Everything a dashboard shows.

    Args:
        at: When it was taken, in seconds since 1970.
        ledger: Where it was taken from, without secrets.
        features: Those that matter most first.
        problem: Why the ledger cannot be read; empty when it can.
        processes: Processes that are alive.
        silent: Processes that should be alive and have not been heard of for a minute.
        hosts: Hosts that have compared.
        heard_at: When any process last wrote, in seconds since 1970.
    """

    at: float
    ledger: str
    features: Tuple[FeaturePicture, ...] = ()
    problem: str = ""
    processes: int = 0
    silent: int = 0
    hosts: int = 0
    heard_at: Optional[float] = None

    def count(self, *stages: str) -> int:
        """How many features are at one of the stages."""
        return sum(feature.stage in stages for feature in self.features)


def _wait(check: Requirement) -> float:
    return float("inf") if check.seconds_left is None else check.seconds_left
