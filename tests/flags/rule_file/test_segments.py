"""Named conditions."""

from __future__ import annotations

import pytest


def _file(segments: str, named: str = "a") -> str:
    rule = f"{{name: r, when: {{segment: {named}}}, serve: rust}}"
    return f"version: 1\nflags: {{f: {{rules: [{rule}]}}}}\nsegments: {segments}\n"


def test_an_unknown_segment_is_told_where_it_is_named(problems):
    """In rules and in other segments, with those that exist."""
    assert [
        'r.yaml:2:47: flags.f.rules[0].when.segment: expected a segment (beta), got "bta"',
        'r.yaml:3:28: segments.beta.segment: expected a segment (beta), got "gamma"',
    ] == problems(_file("{beta: {segment: gamma}}", "bta"))


def test_of_many_segments_the_first_are_named(problems):
    """A file may have thousands, and as many problems."""
    segments = "{" + ", ".join(f"s{number}: {{attr: a, exists: true}}" for number in range(12)) + "}"
    (problem,) = problems(_file(segments, "other"))

    assert problem.endswith('expected a segment (s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, and 2 more), got "other"')


@pytest.mark.parametrize(
    ("segments", "circle"),
    [
        ("{a: {segment: a}}", "a -> a"),
        ("{a: {not: {segment: b}}, b: {any: [{segment: a}]}}", "a -> b -> a"),
        ("{b: {segment: a}, a: {segment: c}, c: {segment: a}}", "a -> c -> a"),
    ],
)
def test_a_circle_is_told_once(problems, segments, circle):
    """The way around is shown."""
    (problem,) = problems(_file(segments))

    assert problem.endswith(f"expected segments without a circle, got {circle}")


def test_segments_that_multiply_are_refused(problems):
    """Thirty segments that each name the one before twice would be a billion tests in one decision."""
    chain = ["s0: {attr: a, exists: true}"]
    chain += [f"s{level}: {{all: [{{segment: s{level - 1}}}, {{segment: s{level - 1}}}]}}" for level in range(1, 30)]
    found = problems(_file("{" + ", ".join(chain) + "}", "s29"))

    assert 'segment "s12": expected at most 10000 tests with all it names, got 12286' in found[0]


def test_a_long_chain_is_refused(problems):
    """A thousand segments in a row are told, without exhausting the stack."""
    chain = ["s0: {attr: a, exists: true}"]
    chain += [f"s{level}: {{segment: s{level - 1}}}" for level in range(1, 1000)]

    assert (
        "expected at most 32 segments in a chain, got more" in problems(_file("{" + ", ".join(chain) + "}", "s999"))[0]
    )
    assert problems(_file("{" + ", ".join(reversed(chain)) + "}", "s999"))


def test_a_segment_is_a_condition_of_its_name(with_flag):
    """Rules see through the name."""
    rule = {"name": "r", "when": {"not": {"segment": "beta"}}, "serve": "rust"}
    manager = with_flag({"rules": [rule]}, segments={"beta": {"attr": "team", "in": ["a", "b"]}})

    assert ["python", "rust"] == [manager.serve("parser", None, {"team": team}) for team in ("a", "c")]
