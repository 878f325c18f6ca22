"""
What one process has to report: counts by epoch and divergence classes with a few samples each, bounded in memory.

Everything is absolute, so a report may be written twice or late, and a lost one is made good by the next.
"""

from __future__ import annotations

import json
import random
import threading
import uuid
from dataclasses import dataclass, field, fields, replace
from typing import Any, Callable, Dict, List, Mapping, Optional, Set, Tuple

from fast_litellm.shadow import engine
from fast_litellm.shadow.counts import Counts, add, flatten
from fast_litellm.shadow.engine import Tally
from fast_litellm.shadow.evidence import Latency
from fast_litellm.shadow.observation import Comparison, Description, Epoch
from fast_litellm.shadow.timing import PairedTimes, Spent, Times, latency

MAX_CLASSES = 2_000
MAX_SAMPLES = 5
STATES = ("noise", "new", "confirmed")
"""States of a divergence class, each stronger than the one before."""

_OVERFLOW = Description("value", fingerprint="overflow")

Labels = Callable[[], Mapping[str, Any]]
ClassKey = Tuple[Epoch, str]


@dataclass
class Attached:
    """A feature's epoch, and every tally that has counted for it."""

    epoch: Epoch
    tallies: List[Tally] = field(default_factory=list)


@dataclass
class ClassRecord:
    """A divergence class as this process has seen it."""

    description: Description
    first_seen: float
    last_seen: float
    state: str
    count: int = 0
    samples: List[Dict[str, Any]] = field(default_factory=list)

    def add(self, comparison: Comparison, now: float, draw: Callable[[int], int]) -> None:
        """Counts a comparison and keeps it with the same chance as every other of its class."""
        self.count += 1
        self.last_seen = now
        self.state = max(self.state, state_of(comparison), key=STATES.index)
        if len(self.samples) < MAX_SAMPLES:
            self.samples.append(comparison.as_event())
            return
        slot = draw(self.count)
        if slot < MAX_SAMPLES:
            self.samples[slot] = comparison.as_event()


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
            sketches = [it for it in (sketch, shape["sketch"]) if it]
            merged = engine.current().sketch_merge(sketches) if sketches else None
            shapes[shape["shape"]] = (add(counts, flatten(shape)), merged)
        return Counter(add(self.counts, flatten(reading)), shapes, self.labels)


@dataclass(frozen=True)
class Report:
    """Copies of what is to be written: counters by epoch, and the classes that have grown."""

    counters: Dict[Epoch, Counter]
    classes: Dict[ClassKey, ClassRecord]


class Account:
    """
    Collects.

    Args:
        draw: Returns a random number from 0 up to, not including, its argument.
    """

    def __init__(self, draw: Callable[[int], int] = random.randrange) -> None:
        self._draw = draw
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
        self._classes: Dict[ClassKey, ClassRecord] = {}
        self._times: Dict[Epoch, PairedTimes] = {}
        self._written: Dict[Any, Any] = {}
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
            key, description = (epoch, comparison.fingerprint), comparison.description
            if key not in self._classes and len(self._classes) >= MAX_CLASSES:
                key, description = (epoch, _OVERFLOW.fingerprint), _OVERFLOW
            record = self._classes.setdefault(key, ClassRecord(description, now, now, "noise"))
            record.add(comparison, now, self._draw)
            return (*key, _copy(record))

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
            counters = {epoch: self._counter(epoch) for epoch in self._labels}
            counters = {epoch: counter for epoch, counter in counters.items() if self._written.get(epoch) != counter}
            classes = {key: _copy(it) for key, it in self._classes.items() if self._written.get(key) != it.count}
            return Report(counters, classes)

    def written(self, report: Report) -> None:
        """Remembers what need not be written again."""
        with self._lock:
            self._written.update(report.counters)
            self._written.update({key: record.count for key, record in report.classes.items()})

    def forget_written(self) -> None:
        """Makes the next report a full one, for a database that may hold nothing of this process."""
        with self._lock:
            self._written.clear()

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


def state_of(comparison: Comparison) -> str:
    """
    Returns:
        The state a single comparison gives its class.
    """
    if comparison.outcome == "waived":
        return "noise"
    return "confirmed" if comparison.confirmed_on_rerun else "new"


def _copy(record: ClassRecord) -> ClassRecord:
    return ClassRecord(
        record.description, record.first_seen, record.last_seen, record.state, record.count, list(record.samples)
    )


def _unattached(comparison: Comparison) -> Epoch:
    return Epoch(comparison.feature, comparison.candidate_build, comparator=comparison.comparator)
