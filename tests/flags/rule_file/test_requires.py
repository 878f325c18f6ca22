"""What flags require of each other."""

from __future__ import annotations

import pytest


def _file(flags: str) -> str:
    return f"version: 1\nflags:\n{flags}"


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        ("  a: {requires: [b]}\n", '3:18: flags.a.requires[0]: expected a flag of this file, got "b"'),
        ("  a: {requires: [a]}\n", "3:18: flags.a.requires[0]: expected requirements without a circle, got a -> a"),
        (
            "  a: {requires: [b]}\n  b: {requires: [{flag: c}]}\n  c: {requires: [a]}\n",
            "5:18: flags.c.requires[0]: expected requirements without a circle, got a -> b -> c -> a",
        ),
        ("  a: {requires: b}\n", '3:17: flags.a.requires: expected a list, got the text "b"'),
        ("  a: {requires: [{serves: rust}]}\n", '3:18: flags.a.requires[0]: expected the key "flag", got none'),
        ("  a: {requires: [5]}\n", "3:18: flags.a.requires[0]: expected the name of a flag, or {flag: NAME, serves"),
        (
            "  a: {requires: [{flag: b, serves: 5}]}\n  b: {}\n",
            "3:36: flags.a.requires[0].serves: expected a text that is not empty, got 5",
        ),
    ],
)
def test_each_mistake_is_told_once(problems, flags, problem):
    """Unknown flags, circles with the way around, and things that are no requirement."""
    told = problems(_file(flags))

    assert [f"r.yaml:{problem}"] == [line[: len(problem) + 7] for line in told]


def test_a_diamond_is_no_circle(problems):
    """Two ways to the same flag are fine."""
    assert [] == problems(_file("  a: {requires: [b, c]}\n  b: {requires: [d]}\n  c: {requires: [d]}\n  d: {}\n"))


def test_every_circle_is_told(problems):
    """Circles that share no flag are told apart."""
    told = problems(_file("  a: {requires: [b]}\n  b: {requires: [a]}\n  c: {requires: [c]}\n"))

    assert ["got a -> b -> a", "got c -> c"] == [line.rsplit(", ", 1)[1] for line in told]


def test_a_chain_has_a_limit(problems):
    """Sixty-four flags in a row are fine; of ten thousand, each stretch that is too long is told once."""
    chain = [f"  f{number}: {{requires: [f{number + 1}]}}\n" for number in range(10_000)]

    assert [] == problems(_file("".join(chain[:64]) + "  f64: {}\n"))
    told = problems(_file("".join(chain) + "  f10000: {}\n"))
    assert 10_001 // 65 == len(told)
    assert told[0].endswith("expected at most 64 requirements in a chain, got more")
