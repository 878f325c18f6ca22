"""The divergence classes of one process."""

from __future__ import annotations

import json
import random

from fast_litellm.shadow import Epoch
from fast_litellm.shadow.classes import MAX_CLASSES, Classes
from fast_litellm.shadow.observation import Comparison, Description

EPOCH = Epoch("feature", "build-1")


def comparison(fingerprint="a", outcome="diverged", *, confirmed=False, candidate_ns=0):
    """A comparison of the class of that name."""
    description = Description("value", fingerprint=fingerprint)
    return Comparison(
        "feature", "b", "exact/1", outcome, description, confirmed_on_rerun=confirmed, candidate_ns=candidate_ns
    )


def counts(classes):
    """Sightings by fingerprint."""
    return {fingerprint: record.count for (_, fingerprint), record in classes.changed().items()}


def test_a_class_has_its_strongest_state():
    """Noise becomes new and new becomes confirmed, never back."""
    classes = Classes()
    states = []
    for outcome, confirmed in (("waived", True), ("diverged", False), ("diverged", True), ("waived", False)):
        classes.record(EPOCH, comparison(outcome=outcome, confirmed=confirmed), 1.0)
        states += [record.state for record in classes.changed().values()]
    assert ["noise", "new", "confirmed", "confirmed"] == states


def test_samples_are_drawn_from_all_sightings():
    """Five samples are kept; a later one takes the slot it draws, if it draws one."""
    draws = iter([0, 6, 4])
    classes = Classes(draw=lambda _count: next(draws))
    for number in range(8):
        classes.record(EPOCH, comparison(candidate_ns=number), float(number))
    (record,) = classes.changed().values()
    assert [5, 1, 2, 3, 7] == [json.loads(sample)["candidate_ns"] for sample in record.samples]
    assert (8, 0.0, 7.0) == (record.count, record.first_seen, record.last_seen)


def test_the_programs_own_random_numbers_stay_what_they_are():
    """Which samples are kept is drawn from a generator of the account's own."""
    random.seed(7)
    expected = [random.random() for _ in range(3)]
    random.seed(7)
    classes = Classes()
    for number in range(100):
        classes.record(EPOCH, comparison(candidate_ns=number), 1.0)
    assert expected == [random.random() for _ in range(3)]


def test_the_number_of_classes_is_bounded():
    """Beyond 2,000 classes the rest is one, and none of its sightings is lost."""
    classes = Classes(max_bytes=1 << 30)
    for number in range(MAX_CLASSES + 10):
        classes.record(EPOCH, comparison(str(number)), 1.0)
    found = counts(classes)
    assert (MAX_CLASSES + 1, 10) == (len(found), found["overflow"])


def test_their_memory_is_bounded():
    """Most of it has one sample of each class; whatever does not fit is counted with all others that do not."""
    classes = Classes(max_bytes=100_000)
    for number in range(500):
        classes.record(EPOCH, comparison(str(number % 100)), 1.0)
    found = classes.changed()
    kept = sum(len(sample) for record in found.values() for sample in record.samples)
    assert (500, True) == (sum(record.count for record in found.values()), 20 < len(found) < 60)
    assert (True, 1) == (kept < 100_000, min(len(record.samples) for record in found.values()))


def test_what_the_ledger_has_no_room_for_is_counted_among_the_overflow():
    """So is what comes later, unless it is of a class that the ledger has."""
    classes = Classes()
    for name in ("a", "b", "b", "c"):
        classes.record(EPOCH, comparison(name), 1.0)
    classes.written(classes.changed())
    classes.fold([(EPOCH, "b"), (EPOCH, "c")])
    assert {"overflow": 3} == counts(classes)
    for name in ("a", "b", "d"):
        classes.record(EPOCH, comparison(name), 2.0)
    assert {"a": 2, "overflow": 5} == counts(classes)
    overflow = classes.changed()[EPOCH, "overflow"]
    assert (1.0, 2.0) == (overflow.first_seen, overflow.last_seen)
