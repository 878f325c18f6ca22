"""What one process has to report."""

from __future__ import annotations

from fast_litellm.accel.native import Tally
from fast_litellm.shadow import Epoch
from fast_litellm.shadow.account import Account
from fast_litellm.shadow.observation import Comparison, Description
from fast_litellm.shadow.timing import Spent

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


class Watched:
    """A tally that says how often its blocks were read."""

    def __init__(self):
        self.tally, self.reads = Tally(), 0

    def blocks(self):
        self.reads += 1
        return self.tally.blocks()

    def __getattr__(self, name):
        return getattr(self.tally, name)


def written(account):
    """Writes what there is to report; returns how many epochs that was."""
    report = account.report()
    account.written(report)
    return len(report.counters)


def test_of_what_has_not_changed_nothing_is_read():
    """Most features do nothing for most of the time; their shapes are many."""
    account, tally = Account(), Watched()
    account.attach(FIRST, tally)
    tally.sample_out()
    reports, reads = [written(account) for _ in range(5)], tally.reads
    tally.sample_out(7)

    assert ([1, 0, 0, 0, 0], 2) == (reports, reads)
    assert (1, 3) == (written(account), tally.reads)


def test_whatever_changes_is_reported_though_nothing_was_counted():
    """What is shown of a feature, and what its calls took; and everything, for another database."""
    labels = {"stage": "shadow"}
    account, found = Account(), []
    account.attach(FIRST, Tally(), lambda: labels)
    for change in (
        lambda: None,
        lambda: labels.update(stage="on"),
        lambda: account.record_spent("feature", Spent(1, 1, 0)),
        account.forget_written,
    ):
        change()
        found.append([written(account), written(account)])

    assert [[1, 0]] * 4 == found


def test_a_stage_that_comes_back_is_reported_again():
    """One report said that it was another, and after it nothing was found to be written."""
    account, stages = Account(), ["on"]
    account.attach(FIRST, Tally(), lambda: {"stage": stages[0]})
    written(account)
    nothing = account.report().counters
    stages[0] = "shadow"
    written(account)
    stages[0] = "on"

    assert ({}, ["on"]) == (nothing, [counter.labels["stage"] for counter in account.report().counters.values()])


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
