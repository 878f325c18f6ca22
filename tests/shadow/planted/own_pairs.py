"""
Wrong candidates for a program's own functions, which have nothing to do with LiteLLM.
"""

from __future__ import annotations

import functools
import math
import operator
import threading
import time
import unicodedata
from random import Random

from fast_litellm.shadow import comparators

MUTANTS = {}
FIRST_CALLS = 100
BEYOND_THE_DEADLINE_MS = 2_000


def planted(control, make_call, comparator=comparators.exact):
    """Adds a wrong candidate for a control to the corpus, with what makes up its calls and what compares them."""

    def add(make):
        MUTANTS[make.__name__] = (control, make, make_call, comparator)
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


def parsed(text):
    """The number that a text is."""
    if not text.isdecimal():
        raise ValueError(f"not a number: {text}")
    return int(text)


def nearest(number):
    """The nearest whole number, the even one of two."""
    return round(number)


def in_order(data):
    """The entries of a dict as they come."""
    return list(data.items())


def integers(draw: Random):
    """A number below a thousand."""
    return draw.randrange(1000)


def texts(draw: Random):
    """Words with letters that are written in several ways, and halves of characters."""
    return draw.choice(("naive", "nai\u0308ve", "straße", "\ud83d")) * draw.randint(1, 3)


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
    """Rounding errors add up: the last bit differs. Python 3.12's own `sum` makes up for them."""
    added = functools.partial(functools.reduce, operator.add)
    return lambda items: added((it * it for it in items if math.isfinite(it)), 0.0) / max(1, len(items))


@planted(shout, texts)
def composes_characters(control):
    """The same to look at, with other code points."""
    return lambda text: unicodedata.normalize("NFC", control(text))


@planted(doubled, integers)
def forgets_after_a_hundred_calls(control):
    """A table that is full from then on."""
    seen = []

    def candidate(number):
        seen.append(number)
        return control(number) if len(seen) <= FIRST_CALLS else 0

    return candidate


@planted(doubled, integers)
def shares_its_buffer_with_its_caller(control):
    """Wrong only while another call is under way."""
    under_way = control.__globals__["UNDER_WAY"]
    return lambda number: control(number) + len(under_way)


UNDER_WAY = []
"""Calls of `doubled` that have begun and not ended."""


@planted(parsed, lambda draw: draw.choice(("12", "1x")))
def words_its_errors_anew(control):
    """Callers that look for a word in the message no longer find it."""

    def candidate(text):
        try:
            return control(text)
        except ValueError:
            raise ValueError(f"invalid number: {text}") from None

    return candidate


@planted(nearest, lambda draw: draw.randrange(100) / 2)
def rounds_halves_up(control):
    """Every second half goes the other way."""
    return lambda number: control(number) if number % 1 != 1 / 2 else math.floor(number) + 1


@planted(spread, numbers)
def divides_by_nothing(control):
    """The mean of no numbers is none."""
    return lambda items: control(items) if items else math.nan


@planted(shout, texts)
def returns_a_class_of_its_own(control):
    """It equals the text, and is not pickled, serialised or compared by identity as one."""
    label = type("Label", (str,), {})
    return lambda text: label(control(text))


@planted(fields, record)
def adds_empty_fields(control):
    """A key that the control leaves out is None."""
    return lambda data: {"b": None, **control(data)}


@planted(fields, record, comparators.canonical(in_order))
def sorts_the_fields_backwards(control):
    """Equal dicts, which are written out differently."""
    return lambda data: dict(sorted(control(data).items(), reverse=True))


@planted(ranked, words)
def returns_a_generator(control):
    """The first who looks at it takes everything out."""
    return lambda items: (item for item in control(items))


@planted(shout, texts)
def repairs_half_characters(control):
    """What cannot be encoded becomes a question mark."""
    return lambda text: control(text).encode("utf-8", "replace").decode()


@planted(shout, texts)
def follows_turkish_rules(control):
    """The capital of i has a dot there."""
    return lambda text: control(text.replace("i", "\u0130"))


@planted(doubled, integers)
def reads_the_settings_of_its_own_thread(control):
    """Right on the thread that made it."""
    settings = threading.local()
    settings.offset = 0
    return lambda number: control(number) + getattr(settings, "offset", 1)


@planted(doubled, integers)
def looks_at_the_clock(control):
    """Wrong in one microsecond of seven."""
    return lambda number: control(number) + (time.time_ns() // 1_000 % 7 == 0)
