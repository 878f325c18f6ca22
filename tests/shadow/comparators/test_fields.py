"""Other comparators at other places."""

from __future__ import annotations

import math

import pytest

from fast_litellm.shadow.comparators import Exact, Item, Key, Step, by_field, exact, ignoring, tolerance, unordered

ANSWER = {
    "id": "a",
    "usage": {"tokens": 7, "cost": 0.1},
    "choices": [{"id": 1, "text": "x"}, {"id": 2, "text": "y"}],
}
answers = by_field(
    {
        "$.id": by_field({}, exact),
        "$.usage.cost": tolerance(absolute=0.01),
        "$.choices": unordered(ignoring(["$.id"])),
    }
)


def changed(**parts):
    """The answer with other parts."""
    return {**ANSWER, **parts}


def outcome(comparator, control, candidate):
    """Kind and path of the difference."""
    difference = comparator(control, candidate)
    return difference and (difference.kind, difference.path)


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        (changed(), None),
        (changed(usage={"tokens": 7, "cost": 0.105}), None),
        (changed(usage={"tokens": 7, "cost": 0.2}), ("tolerance", (Key("usage"), Key("cost")))),
        (changed(usage={"tokens": 8, "cost": 0.1}), ("value", (Key("usage"), Key("tokens")))),
        (changed(usage={"tokens": 7}), ("missing", (Key("usage"), Key("cost")))),
        (changed(usage=None), ("type", (Key("usage"),))),
        (changed(choices=[{"id": 9, "text": "y"}, {"text": "x"}]), None),
        (changed(choices=[{"text": "y"}, {"text": "z"}]), ("value", (Key("choices"), Step("members")))),
        (changed(more=1), ("extra", (Key("more"),))),
    ],
)
def test_each_place_has_its_comparator(candidate, expected):
    """A path decides how its place is compared, and the rest is exact."""
    assert expected == outcome(answers, ANSWER, candidate)


@pytest.mark.parametrize(
    ("ignored", "control", "candidate", "expected"),
    [
        (["$.id"], {"id": 1}, {"id": "x"}, None),
        (["$.id"], {"id": 1}, {}, None),
        (["$.id"], {}, {"id": 1}, None),
        (["$.id"], {"id": 1, "n": 1}, {"n": 2}, ("value", (Key("n"),))),
        (["$.*.id"], {"a": {"id": 1}}, {"a": {"id": 2}}, None),
        (["$[*].id"], [{"id": 1}, {"id": 2}], [{"id": 3}, {}], None),
        (["$[0]"], [1, 2], [3, 2], None),
        (["$[0]"], [1, 2], [1, 3], ("value", (Item(1),))),
        (["$[0]"], [1, 2, 3], [1, 3, 2], ("value", (Item(1),))),
        (["$[*].id"], [{"n": 1}, {"n": 2}], [{"n": 2}, {"n": 1}], ("order", ())),
        (["$.a.b"], {"a": 1}, {"a": 2}, ("value", (Key("a"),))),
        (["$[*].id"], {math.nan: 1, float("nan"): 2}, {math.nan: 2, float("nan"): 1}, None),
    ],
)
def test_what_is_ignored_need_not_be_there(ignored, control, candidate, expected):
    """An ignored place is equal, or missing, on either side; everything around it still counts."""
    assert expected == outcome(ignoring(ignored), control, candidate)


def test_the_first_of_several_paths_counts():
    """A place that two paths lead to has the comparator that was named first."""
    first = by_field({"$[0]": tolerance(absolute=1), "$[*]": exact})
    assert ("value", (Item(1),)) == outcome(first, [1, 1], [2, 2])


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["$.a", "$.a.b"], r"\$\.a\.b lies inside \$\.a"),
        (["$.a[*].b", "$.a[*]"], r"lies inside \$\.a\[\*\]"),
        (["$"], "nothing"),
    ],
)
def test_a_path_that_is_never_reached_is_refused(paths, message):
    """A comparator takes over everything below its path, so a longer one would say nothing."""
    with pytest.raises(ValueError, match=message):
        ignoring(paths)


def test_a_difference_is_shown_by_the_rule_of_its_place():
    """What is no content in one place may be content in another."""
    counts = by_field({"$.tokens": Exact(safe_types=(int,))})
    assert (int,) == counts({"tokens": 1}, {"tokens": 2}).rule.safe_types
    assert int not in counts({"n": 1}, {"n": 2}).rule.safe_types


def test_keys_that_are_written_in_a_path_may_be_shown():
    """Whoever writes a key into a comparator knows that it is no content."""
    assert {"id", "usage", "cost", "choices"} == answers.known_keys


def test_the_name_holds_every_path_and_comparator():
    """A path more, or another comparator, is another body of evidence."""
    assert "by_field($.id=ignored/1,otherwise=exact/1)/1" == ignoring(["$.id"]).name
