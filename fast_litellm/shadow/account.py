"""
What one process has to report: counts by epoch, and divergence classes.

Everything is absolute, so a report may be written twice or late, and a lost one is made good by the next.
"""

from __future__ import annotations

import json
import threading
import uuid
from dataclasses import dataclass, field, fields, replace
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from fast_litellm.shadow import engine
from fast_litellm.shadow.classes import Classes, ClassKey, ClassRecord
from fast_litellm.shadow.counts import Counts, add, flatten
from fast_litellm.shadow.engine import Tally
from fast_litellm.shadow.evidence import Latency
from fast_litellm.shadow.observation import Comparison, Epoch
from fast_litellm.shadow.timing import PairedTimes, Spent, Times, latency

Labels = Callable[[], Mapping[str, Any]]
Sign = Tuple[Sequence[Mapping[str, Any]], Mapping[str, Any], int]


@dataclass
class Attached:
    """A feature's epoch, and every tally that has counted for it."""

    epoch: Epoch
    tallies: List[Tally] = field(default_factory=list)


@dataclass(frozen=True)
class Counter:
    """
    What one epoch has come to in this process.

    Args:
        counts: Of all calls.
        shapes: Of the calls of each shape, with the sketch of their distinct inputs if there is one.
        labels: What else is shown of the feature.
        times: The sum of the paired timings, if there are any.
    """

    counts: Counts = field(default_factory=dict)
    shapes: Mapping[int, Tuple[Counts, Optional[bytes]]] = field(default_factory=dict)
    labels: Mapping[str, Any] = field(default_factory=dict)
    times: Optional[Dict[str, Any]] = None

    def with_reading(self, reading: Mapping[str, Any], by_shape: List[Dict[str, Any]]) -> Counter:
        """Returns the sum with a block's reading, and its readings by shape."""
        shapes = dict(self.shapes)
        for shape in by_shape:
            counts, sketch = shapes.get(shape["shape"], ({}, None))
            shapes[shape["shape"]] = (add(counts, flatten(shape)), _merged(sketch, shape["sketch"]))
        return Counter(add(self.counts, flatten(reading)), shapes, self.labels)


@dataclass(frozen=True)
class _Written:
    """What is known to be written of an epoch: the counter without its shapes, and a hash of the counts of each."""

    counter: Counter = field(default_factory=Counter)
    shapes: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """Copies of what is to be written: counters by epoch with the shapes that have grown, and grown classes."""

    counters: Dict[Epoch, Counter]
    classes: Dict[ClassKey, ClassRecord]


class Account:
    """
    Collects.

    Args:
        classes: Where comparisons are counted that did not match.
    """

    def __init__(self, classes: Optional[Classes] = None) -> None:
        self._classes = Classes() if classes is None else classes
        self._attached: Dict[str, Attached] = {}
        self._labels: Dict[Epoch, Labels] = {}
        self.after_fork()

    def after_fork(self, ring: Optional[engine.Ring] = None) -> None:
        """
        Starts with nothing but the tallies, which a child counts from zero.

        Args:
            ring: Where the counts are kept.
        """
        self._ring = ring
        self._kept: Set[str] = set()
        self._lock = threading.Lock()
        self._name = uuid.uuid4().hex
        self._labels = {it.epoch: self._labels[it.epoch] for it in self._attached.values()}
        self._closed: Dict[Epoch, Counter] = {}
        self._classes.empty()
        self._times: Dict[Epoch, PairedTimes] = {}
        self._written: Dict[Epoch, _Written] = {}
        self._signs: Dict[Epoch, Sign] = {}
        for attached in self._attached.values():
            for index, tally in enumerate(attached.tallies):
                tally.reset()
                self._open(tally, self._block(attached.epoch, index))

    def keep_in(self, ring: Optional[engine.Ring]) -> None:
        """Keeps what is counted from the next epoch on in a ring."""
        self._ring = ring

    def attach(self, epoch: Epoch, tally: Tally, labels: Optional[Labels] = None) -> None:
        """
        Counts a tally under an epoch from here on; what it had counted before stays with the epoch before, and so does
        a call in flight.
        """
        with self._lock:
            attached = self._attached.setdefault(epoch.feature, Attached(epoch))
            attached.epoch = epoch
            if all(known is not tally for known in attached.tallies):
                attached.tallies.append(tally)
            self._labels[epoch] = labels or dict
            index = next(index for index, known in enumerate(attached.tallies) if known is tally)
            self._open(tally, self._block(epoch, index))

    def _open(self, tally: Tally, block: str) -> None:
        """A block in a ring is never forgotten: the words stay, and the epoch may be gone on with."""
        if tally.open(block, self._ring):
            self._kept.add(block)

    def record(self, comparison: Comparison, now: float) -> Tuple[Epoch, str, ClassRecord]:
        """
        Counts a comparison under its divergence class.

        Returns:
            The class as it is now: its epoch, its fingerprint, and what this process has seen of it.
        """
        with self._lock:
            attached = self._attached.get(comparison.feature)
            epoch = attached.epoch if attached is not None else _unattached(comparison)
            return self._classes.record(epoch, comparison, now)

    def record_times(self, feature: str, times: Times) -> None:
        """Counts a pair of timings under the feature's epoch."""
        with self._lock:
            attached = self._attached.get(feature)
            if attached is not None:
                self._times.setdefault(attached.epoch, PairedTimes()).add(times)

    def record_spent(self, feature: str, spent: Spent) -> None:
        """Counts what a compared call took under the feature's epoch."""
        with self._lock:
            attached = self._attached.get(feature)
            if attached is not None:
                self._times.setdefault(attached.epoch, PairedTimes()).spend(spent)

    def latency(self, feature: str) -> Latency:
        """Returns what the sides took under the feature's epoch, in this process."""
        with self._lock:
            attached = self._attached.get(feature)
            times = None if attached is None else self._times.get(attached.epoch)
            counted = [] if times is None else [json.dumps(times.as_json())]
        return latency(counted)

    def report(self) -> Report:
        """Returns what has changed since the last report that was written."""
        with self._lock:
            counters = {epoch: self._unwritten(epoch) for epoch in self._labels}
            changed = {epoch: counter for epoch, counter in counters.items() if counter is not None}
            return Report(changed, self._classes.changed())

    def written(self, report: Report) -> None:
        """Remembers what need not be written again."""
        with self._lock:
            for epoch, counter in report.counters.items():
                known = self._written.get(epoch, _Written()).shapes
                shapes = {shape: hash(frozenset(counts.items())) for shape, (counts, _) in counter.shapes.items()}
                self._written[epoch] = _Written(replace(counter, shapes={}), {**known, **shapes})
                self._signs.pop(epoch, None)  # it is of what was written before
            self._classes.written(report.classes)

    def forget_written(self) -> None:
        """Makes the next report a full one, for a database that may hold nothing of this process."""
        with self._lock:
            self._written.clear()
            self._signs.clear()
            self._classes.forget_written()

    def fold(self, keys: Iterable[ClassKey]) -> None:
        """Counts classes among the overflow, because the ledger takes no more of their epochs."""
        with self._lock:
            self._classes.fold(keys)

    def _unwritten(self, epoch: Epoch) -> Optional[Counter]:
        """Of most features nothing has happened since they were last found to be written."""
        sign = self._sign(epoch)
        if sign == self._signs.get(epoch):
            return None
        counter = self._grown(epoch, self._counter(epoch))
        if counter is None:
            self._signs[epoch] = sign
        return counter

    def _sign(self, epoch: Epoch) -> Sign:
        """Where it is the same, nothing has been counted, and nothing else is to be shown."""
        times = self._times.get(epoch)
        readings = [tally.reading() for tally in self._attached[epoch.feature].tallies]
        return readings, dict(self._labels[epoch]()), 0 if times is None else times.told

    def _grown(self, epoch: Epoch, counter: Counter) -> Optional[Counter]:
        """A sketch grows with the counts of its shape, never without."""
        written = self._written.get(epoch)
        if written is None:
            return counter
        known = written.shapes
        grown = {
            shape: it for shape, it in counter.shapes.items() if known.get(shape) != hash(frozenset(it[0].items()))
        }
        is_written = not grown and written.counter == replace(counter, shapes={})
        return None if is_written else replace(counter, shapes=grown)

    def _block(self, epoch: Epoch, index: int) -> str:
        """Each tally has blocks of its own, and so has another account that reads the same tallies."""
        return json.dumps([self._name, index, *(getattr(epoch, part.name) for part in fields(Epoch))])

    def _counter(self, epoch: Epoch) -> Counter:
        attached = self._attached[epoch.feature]
        closed = self._closed.get(epoch, Counter())
        named = [(tally, self._block(epoch, index)) for index, tally in enumerate(attached.tallies)]
        for tally, block in named if epoch != attached.epoch else ():
            ended = None if block in self._kept else tally.forget(block)
            closed = closed if ended is None else closed.with_reading(*ended)
        self._closed[epoch] = closed
        for tally, block in named:
            for reading in (it[1:] for it in tally.blocks() if it[0] == block):
                closed = closed.with_reading(*reading)
        times = self._times.get(epoch)
        return replace(closed, labels=dict(self._labels[epoch]()), times=None if times is None else times.as_json())


def epoch_of(block: str) -> Epoch:
    """
    Args:
        block: The name of a block of some process's account.

    Returns:
        The epoch that is counted in it.
    """
    return Epoch(*json.loads(block)[2:])


def _merged(sketch: Optional[bytes], other: Optional[bytes]) -> Optional[bytes]:
    if sketch and other:
        return engine.current().sketch_merge([sketch, other])
    return sketch or other or None


def _unattached(comparison: Comparison) -> Epoch:
    return Epoch(comparison.feature, comparison.candidate_build, comparator=comparison.comparator)
