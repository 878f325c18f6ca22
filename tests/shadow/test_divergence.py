"""Divergence classes, and how often one is logged."""

from __future__ import annotations

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from fast_litellm import events
from fast_litellm.shadow import comparators
from fast_litellm.shadow.comparators import Exact, exact
from fast_litellm.shadow.divergence import DivergenceLog, describe
from fast_litellm.shadow.observation import Comparison, Description
from fast_litellm.shadow.redaction import Redactor

redactor = Redactor(bytes(32))


def name(control, candidate, *, feature="feature", comparator=exact, key=bytes(32)):
    """The fingerprint of the difference of two values."""
    return describe(Redactor(key), feature, comparator, comparator(control, candidate)).fingerprint


def comparison(fingerprint="a"):
    """A comparison of the class of that name."""
    return Comparison("feature", "build", "exact/1", "diverged", Description("value", fingerprint=fingerprint))


class Clock:
    """Seconds, moved by hand."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_a_fingerprint_is_stable():
    """The same finding has the same name in every process and release: it is written down."""
    assert "1f77104c898d098afa5ceda8ce7f16d2" == name([1], [2])


def test_values_and_indices_do_not_name_a_class():
    """One mistake has one name, whatever it was fed and wherever in a list it shows."""
    assert name([1, 2], [1, 3]) == name([7, 8, 9], [6, 8, 9])
    assert name(["a"], ["b"]) == name(["long text"], ["other"])


@pytest.mark.parametrize(
    "other",
    [
        name([1], [2], feature="other"),
        name([1], [2], key=b"k" * 32),
        name([1], [2.0]),
        name([1], ["1"]),
        name(["1"], ["2"]),
        name(1, 2),
        name({"a": 1}, {"a": 2}),
        name([1], [2, 3]),
    ],
)
def test_what_is_another_finding_has_another_name(other):
    """Feature, key, kind, types and place each make another class."""
    assert other != name([1], [2])


def test_a_description_has_both_paths():
    """The path is kept with its indices for reading, and without them for grouping."""
    counts = Exact(known_keys=frozenset({"n"}))
    described = describe(redactor, "feature", counts, counts([0, {"n": 1}], [0, {"n": 2}]))
    assert ("value", "$[1].n", "$[*].n") == (described.kind, described.path, described.pattern)


def test_the_first_sighting_is_logged_in_full_and_later_ones_once_a_minute(log):
    """A class that is seen a thousand times a minute fills no log, and nothing is lost of its count."""
    clock = Clock()
    divergences = DivergenceLog(clock)
    logged = []
    for second in range(121):
        clock.now = float(second)
        logged.append(divergences.record(comparison()))
    assert [0, 60, 120] == [second for second, was in enumerate(logged) if was]
    assert [(1, 0), (61, 59), (121, 59)] == [(entry["seen_count"], entry["suppressed"]) for entry in log]
    assert {events.DIVERGENCE} == {entry["event"] for entry in log}


def test_classes_are_logged_independently(log):
    """The first sighting of another class is logged at once."""
    divergences = DivergenceLog(Clock())
    assert [True, True, False] == [divergences.record(comparison(it)) for it in ("a", "b", "a")]


def test_the_number_of_classes_is_bounded(log):
    """Beyond 500 classes all further ones are one."""
    divergences = DivergenceLog(Clock())
    assert 501 == sum(divergences.record(comparison(str(number))) for number in range(5_000))
    assert 501 == len(log)


def seen(input_digest, *, confirmed=False, outcome="diverged"):
    """A comparison of one class with an input of its own."""
    return replace(comparison(), input_digest=input_digest, confirmed_on_rerun=confirmed, outcome=outcome)


def levels(*comparisons):
    """At which levels they are logged, in one minute."""
    divergences = DivergenceLog(Clock())
    with capture_logs() as log:
        for each in comparisons:
            divergences.record(each)
    return [entry["log_level"] for entry in log]


@pytest.mark.parametrize(
    ("comparisons", "expected"),
    [
        ([seen("a")], ["warning"]),
        ([seen("a", confirmed=True)], ["error"]),
        ([seen("a"), seen("a")], ["warning"]),
        ([seen("a"), seen("b")], ["warning", "error"]),
        ([seen("a"), seen("a", confirmed=True), seen("c")], ["warning", "error"]),
        ([seen("a", confirmed=True, outcome="waived"), seen("b", outcome="waived")], ["warning"]),
    ],
)
def test_a_class_is_a_warning_until_it_is_confirmed(comparisons, expected):
    """By a second run, or by another input; noise is never confirmed."""
    assert expected == levels(*comparisons)


def test_the_part_that_found_it_is_named():
    """Of several comparators that work together, the one whose answer it was."""
    near = comparators.tolerance(absolute=0.5)
    compared = comparators.by_field({"$[*]": near})
    described = describe(redactor, "feature", compared, compared([1.0], [2.0]))
    assert ("tolerance", near.name) == (described.kind, described.rule)
