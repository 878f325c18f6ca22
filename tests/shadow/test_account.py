"""What one process has to report."""

from __future__ import annotations

from fast_litellm.accel.native import Tally
from fast_litellm.shadow import Epoch
from fast_litellm.shadow.account import MAX_CLASSES, Account
from fast_litellm.shadow.observation import Comparison, Description

FIRST, SECOND = Epoch("feature", "build-1"), Epoch("feature", "build-2")


def comparison(fingerprint="a", outcome="diverged", *, confirmed=False, candidate_ns=0):
    """A comparison of the class of that name."""
    return Comparison(
        "feature",
        "build-1",
        "exact/1",
        outcome,
        Description("value", fingerprint=fingerprint),
        confirmed_on_rerun=confirmed,
        candidate_ns=candidate_ns,
    )


def offered(account):
    """Offered calls by build, as a full report has them."""
    account.forget_written()
    counters = account.report().counters.items()
    return {epoch.candidate_build: counter.counts["offered"] for epoch, counter in counters if counter.counts}


def test_only_what_has_changed_is_reported():
    """What was written is reported again only when it has grown."""
    account, tally = Account(), Tally()
    account.attach(FIRST, tally)
    tally.sample_out()
    account.record(comparison(), 1.0)
    report = account.report()
    assert (1, 1) == (len(report.counters), len(report.classes))
    account.written(report)
    assert (0, 0) == (len(account.report().counters), len(account.report().classes))
    account.record(comparison(), 2.0)
    assert [2] == [record.count for record in account.report().classes.values()]


def test_a_report_that_was_not_written_is_repeated():
    """Without the confirmation that it was written, the next report says the same and more."""
    account, tally = Account(), Tally()
    account.attach(FIRST, tally)
    tally.sample_out()
    account.report()
    tally.sample_out()
    assert {"build-1": 2} == offered(account)


def test_an_epoch_keeps_its_counts():
    """A change of epoch leaves what was counted to the first one, also when it comes back."""
    account, tally = Account(), Tally()
    for epoch, calls in ((FIRST, 1), (SECOND, 10), (FIRST, 100)):
        account.attach(epoch, tally)
        for _ in range(calls):
            tally.sample_out()
    assert {"build-1": 101, "build-2": 10} == offered(account)


def test_another_tally_continues_the_epoch():
    """A feature set up anew adds to its epoch, and what its tally had counted elsewhere is left out."""
    account, first, second = Account(), Tally(), Tally()
    second.sample_out()
    account.attach(FIRST, first)
    first.sample_out()
    account.attach(FIRST, second)
    second.sample_out()
    assert {"build-1": 2} == offered(account)


def test_a_child_reports_from_zero():
    """After a fork nothing of the parent's is reported."""
    account, tally = Account(), Tally()
    account.attach(FIRST, tally)
    tally.sample_out()
    account.record(comparison(), 1.0)
    account.after_fork()
    assert 0 == tally.reading()["offered"]
    tally.sample_out()
    assert ({"build-1": 1}, {}) == (offered(account), account.report().classes)


def test_a_class_has_its_strongest_state():
    """Noise becomes new and new becomes confirmed, never back."""
    account = Account()
    states = []
    for outcome, confirmed in (("waived", True), ("diverged", False), ("diverged", True), ("waived", False)):
        account.record(comparison(outcome=outcome, confirmed=confirmed), 1.0)
        states += [record.state for record in account.report().classes.values()]
    assert ["noise", "new", "confirmed", "confirmed"] == states


def test_samples_are_drawn_from_all_sightings():
    """Five samples are kept; a later one takes the slot it draws, if it draws one."""
    draws = iter([0, 6, 4])
    account = Account(draw=lambda _count: next(draws))
    for number in range(8):
        account.record(comparison(candidate_ns=number), float(number))
    (record,) = account.report().classes.values()
    assert [5, 1, 2, 3, 7] == [sample["candidate_ns"] for sample in record.samples]
    assert (8, 0.0, 7.0) == (record.count, record.first_seen, record.last_seen)


def test_the_number_of_classes_is_bounded():
    """Beyond 2,000 classes the rest is one, and none of its sightings is lost."""
    account = Account()
    for number in range(MAX_CLASSES + 10):
        account.record(comparison(str(number)), 1.0)
    classes = account.report().classes
    assert MAX_CLASSES + 1 == len(classes)
    assert 10 == next(record.count for (_, name), record in classes.items() if name == "overflow")
