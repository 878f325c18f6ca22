"""
Ten wrong candidates for a program's own functions, which have nothing to do with LiteLLM.
"""

from __future__ import annotations

import math
import unicodedata
from random import Random

MUTANTS = {}
FIRST_CALLS = 100
BEYOND_THE_DEADLINE_MS = 2_000


def planted(control, make_call):
    """Adds a wrong candidate for a control to the corpus, with what makes up its calls."""

    def add(make):
        MUTANTS[make.__name__] = (control, make, make_call)
        return make

    return add


def words(draw: Random):
    """A list of short words, some of them twice."""
    return [draw.choice("abcdefgh") * draw.randint(1, 2) for _ in range(draw.randint(0, 12))]


def numbers(draw: Random):
    """Numbers of every size and sign, zeros among them."""
    choices = (0.0, -0.0, draw.uniform(-1, 1), draw.uniform(-1e9, 1e9), math.inf)
    return [draw.choice(choices) for _ in range(draw.randint(0, 6))]


def record(draw: Random):
    """A record with some fields missing and some empty."""
    return {key: draw.choice((None, 1, "x")) for key in "abc" if draw.random() < 0.8}


def ranked(items):
    """Sorts by length, and leaves items of one length in their order."""
    return sorted(items, key=len)


def smallest(items):
    """The smallest number, or None."""
    return min(items, default=None)


def fields(data):
    """The fields that are given, even if they are empty."""
    return {key: value for key, value in data.items() if key != "a"}


def doubled(number):
    """Twice the number."""
    return 2 * number


def shout(text):
    """Upper case."""
    return text.upper()


def spread(items):
    """The mean square."""
    return math.fsum(it * it for it in items if math.isfinite(it)) / max(1, len(items))


@planted(ranked, words)
def breaks_ties_by_the_alphabet(control):
    """The same items in another order."""
    return lambda items: sorted(items, key=lambda it: (len(it), it))


@planted(ranked, words)
def leaves_doubles_out(control):
    """A dictionary has passed by on the way."""
    return lambda items: sorted(dict.fromkeys(items), key=len)


@planted(ranked, words)
def sorts_in_place(control):
    """The right answer, and the caller's own list is sorted too."""

    def candidate(items):
        items.sort(key=len)
        return list(items)

    return candidate


@planted(smallest, numbers)
def loses_the_sign_of_zero(control):
    """-0.0 becomes 0.0, which equals it."""
    return lambda items: None if not items else control(items) + 0.0


@planted(fields, record)
def drops_empty_fields(control):
    """A key whose value is None is missing."""
    return lambda data: {key: value for key, value in control(data).items() if value is not None}


@planted(doubled, lambda draw: draw.choice((draw.randrange(1000), draw.randrange(2**60, 2**61))))
def counts_in_floats(control):
    """Whole numbers beyond 2**53 lose their last digits."""
    return lambda number: int(2 * float(number))


@planted(spread, numbers)
def adds_up_in_order(control):
    """Rounding errors add up: the last bit differs."""
    return lambda items: sum(it * it for it in items if math.isfinite(it)) / max(1, len(items))


@planted(shout, lambda draw: draw.choice(("naive", "nai\u0308ve", "straße")) * draw.randint(1, 3))
def composes_characters(control):
    """The same to look at, with other code points."""
    return lambda text: unicodedata.normalize("NFC", control(text))


@planted(doubled, lambda draw: draw.randrange(1000))
def forgets_after_a_hundred_calls(control):
    """A table that is full from then on."""
    seen = []

    def candidate(number):
        seen.append(number)
        return control(number) if len(seen) <= FIRST_CALLS else 0

    return candidate


@planted(doubled, lambda draw: draw.randrange(1000))
def shares_its_buffer_with_its_caller(control):
    """Wrong only while another call is under way."""
    under_way = control.__globals__["UNDER_WAY"]
    return lambda number: control(number) + len(under_way)


UNDER_WAY = []
"""Calls of `doubled` that have begun and not ended."""
