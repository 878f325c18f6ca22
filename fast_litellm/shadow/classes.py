"""
The divergence classes that one process has seen, with a few samples each, bounded in number and in bytes.

What is beyond a bound is counted in a class of its own, "overflow": no sighting is lost.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Callable, Dict, Iterable, List, Mapping, Optional, Set, Tuple

from fast_litellm.shadow.observation import Comparison, Description, Epoch

MAX_CLASSES = 2_000
MAX_SAMPLES = 5
MAX_BYTES = 3 * 1024 * 1024
"""What classes and samples take together."""
STATES = ("noise", "new", "confirmed")
"""States of a divergence class, each stronger than the one before."""
OVERFLOW = Description("value", fingerprint="overflow")

_CLASS_BYTES = 2_048  # as measured, with its strings and its places in tables
_SAMPLE_BYTES = 64  # beside its characters

ClassKey = Tuple[Epoch, str]


@dataclass
class ClassRecord:
    """A divergence class as this process has seen it; its samples are JSON."""

    description: Description
    first_seen: float
    last_seen: float
    state: str
    count: int = 0
    samples: List[str] = field(default_factory=list)

    def see(self, state: str, now: float) -> None:
        """Counts a sighting."""
        self.count += 1
        self.last_seen = now
        self.state = max(self.state, state, key=STATES.index)

    def with_all_of(self, other: ClassRecord) -> ClassRecord:
        """Returns the sum of two classes, which keeps the samples it has."""
        return replace(
            self,
            first_seen=min(self.first_seen, other.first_seen),
            last_seen=max(self.last_seen, other.last_seen),
            state=max(self.state, other.state, key=STATES.index),
            count=self.count + other.count,
        )


class Classes:
    """
    Counts comparisons by class.

    Args:
        draw: Returns a random number from 0 up to, not including, its argument.
        max_bytes: What all of it may take, approximately.
    """

    def __init__(self, draw: Optional[Callable[[int], int]] = None, max_bytes: int = MAX_BYTES) -> None:
        # The program may count on its own generator's numbers, and which samples are kept is no secret.
        self._draw = draw or random.Random().randrange  # noqa: S311
        self._max_bytes = max_bytes
        self.empty()

    def empty(self) -> None:
        """Forgets everything."""
        self._records: Dict[ClassKey, ClassRecord] = {}
        self._written: Dict[ClassKey, int] = {}
        self._full: Set[Epoch] = set()
        self._bytes = 0

    def record(self, epoch: Epoch, comparison: Comparison, now: float) -> Tuple[Epoch, str, ClassRecord]:
        """
        Count a comparison under its class, and keep it with the same chance as every other of its class.

        Returns:
            The class as it is now: its epoch, its fingerprint, and a copy of what this process has seen of it.
        """
        key = (epoch, comparison.fingerprint)
        if key not in self._records and not self._has_room(epoch):
            key = (epoch, OVERFLOW.fingerprint)
        description = comparison.description if key[1] == comparison.fingerprint else OVERFLOW
        record = self._records.setdefault(key, ClassRecord(description, now, now, "noise"))
        record.see(state_of(comparison), now)
        self._keep(record, comparison)
        return (*key, _copy(record))

    def changed(self) -> Dict[ClassKey, ClassRecord]:
        """Returns copies of the classes that have grown since they were written."""
        return {key: _copy(it) for key, it in self._records.items() if self._written.get(key) != it.count}

    def written(self, classes: Mapping[ClassKey, ClassRecord]) -> None:
        """Remembers what need not be written again."""
        self._written.update({key: record.count for key, record in classes.items()})

    def forget_written(self) -> None:
        """Takes nothing to be written."""
        self._written.clear()

    def fold(self, keys: Iterable[ClassKey]) -> None:
        """Counts classes among the overflow: the ledger takes no more of their epochs."""
        keys = [key for key in keys if key in self._records]
        self._full.update(epoch for epoch, _ in keys)
        self._records = folded(self._records, keys)
        for key in keys:
            self._written.pop(key, None)

    def _has_room(self, epoch: Epoch) -> bool:
        has_room = epoch not in self._full and len(self._records) < MAX_CLASSES
        return has_room and self._takes(_CLASS_BYTES)

    def _keep(self, record: ClassRecord, comparison: Comparison) -> None:
        """
        Once half of the memory is taken, one sample of a class is enough: other classes need it. A comparison becomes
        text only where there may be a place for it, which is rare once a class is known.
        """
        samples = record.samples
        most = MAX_SAMPLES if self._bytes * 2 < self._max_bytes else 1
        if len(samples) < most:
            text = comparison.as_text()
            if self._takes(_SAMPLE_BYTES + len(text)):
                samples.append(text)
                return
        slot = self._draw(record.count)
        if slot < len(samples):
            text = comparison.as_text()
            if self._takes(len(text) - len(samples[slot])):
                samples[slot] = text

    def _takes(self, size: int) -> bool:
        is_there = self._bytes + size <= self._max_bytes
        self._bytes += size if is_there else 0
        return is_there


def folded(records: Mapping[ClassKey, ClassRecord], keys: Iterable[ClassKey]) -> Dict[ClassKey, ClassRecord]:
    """
    Returns:
        The classes with some of them counted among the overflow of their epochs.
    """
    left = dict(records)
    for key in keys:
        overflow, record = (key[0], OVERFLOW.fingerprint), replace(left.pop(key), description=OVERFLOW, samples=[])
        left[overflow] = left[overflow].with_all_of(record) if overflow in left else record
    return left


def state_of(comparison: Comparison) -> str:
    """
    Returns:
        The state a single comparison gives its class.
    """
    if comparison.outcome == "waived":
        return "noise"
    return "confirmed" if comparison.confirmed_on_rerun else "new"


def _copy(record: ClassRecord) -> ClassRecord:
    return replace(record, samples=list(record.samples))
