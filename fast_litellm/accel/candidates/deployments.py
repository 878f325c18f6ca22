"""
What the candidates of `routing` and `async_routing` share: the deployments of a call, its tokens, and its minute.

The numbers that a selection draws, its clock and its count of tokens are asked for under the reference's own names, in
the reference's order: whoever counts or tells the time there is asked as the reference would ask.
"""

from __future__ import annotations

import functools
import operator
import random
import time
from datetime import datetime
from typing import Any, Dict, List, Tuple

from fast_litellm.accel import native, reach
from fast_litellm.accel.candidates.guarded import Guarded
from fast_litellm.accel.fingerprint import Source
from fast_litellm.errors import Declined
from fast_litellm.shadow import tape

NATIVE_ROUTER = "litellm.router_rust"
"""LiteLLM's own native router, from 1.110 on; where it is, no deployment is selected in Python any more."""

_LIVE = frozenset({"token_counter", "datetime", "print_verbose"})
"""Names of a reference that are asked for at every call."""

_DRAWS: Dict[str, Any] = {name: tape.original(getattr(random, name)) for name in ("choice", "choices", "sample")}
_AS_EVER = tuple(_DRAWS.values())
"""What is there but for the time of a comparison, when a tape's stand-ins are."""
DRAWN_BY: Tuple[reach.Place, ...] = ((random.Random, "_randbelow"), (random.Random, "getrandbits"))
"""What a permutation is drawn with, where it is drawn natively."""

_COUNTS = (0, 1, 2, 21, 22, 300)
_MINUTE = 60
_SLACK_SECONDS = 2


class Deployments(List[Any]):
    """The list of one call. Nobody changes a deployment while it is selected, so that no copy of one is made."""


native.share_instances([Deployments, datetime])


class Selection(Guarded):
    """
    A candidate that selects deployments: what it reproduces, and a guard of it.

    Args:
        reference: The loaded module that holds the control.
        sources: The parts of LiteLLM that are reproduced.
        entry: The control's name.
        methods: What it asks for by way of its instance.
    """

    build = f"fast-litellm {native.BUILD}"

    def __init__(self, reference: Any, sources: Tuple[Source, ...], entry: str, *methods: reach.Place) -> None:
        self._reference = reference
        found, drawn = reach.places(sources, entry), vars(random)
        watched = [it for it in found if it[1] not in _LIVE and it[0] is not drawn]
        super().__init__(native.IdentityGuard([*watched, *methods]))


def check_draws(reference: Any) -> None:
    """
    Raises:
        Declined: Somebody draws in the place of Python's generator: he is asked for deployments, not for their numbers.
    """
    drawn = reference.random
    if all(map(operator.is_, (drawn.choice, drawn.choices, drawn.sample), _AS_EVER)):
        return
    if any(tape.original(getattr(drawn, name)) is not own for name, own in _DRAWS.items()):
        raise Declined("reference_patched")


def permutation(reference: Any, count: int) -> List[int]:
    """
    Draw an order of so many deployments.

    Args:
        reference: Whose generator it is; on a tape, whoever stands for it is asked.
        count: How many.

    Returns:
        What `sample(range(count), count)` of the reference's generator gives, and no other number is drawn.
    """
    sample = reference.random.sample
    if sample is _DRAWS["sample"] and _is_drawn_natively():
        return native.permutation(sample.__self__.getrandbits, count)
    drawn: List[int] = sample(range(count), count)
    return drawn


@functools.cache
def _is_drawn_natively() -> bool:
    """Whether this Python draws a permutation as those did that were looked at: it may choose to do otherwise."""
    one, other = random.Random(1), random.Random(1)  # noqa: S311 - both draw the same
    alike = all(one.sample(range(count), count) == native.permutation(other.getrandbits, count) for count in _COUNTS)
    return alike and one.getstate() == other.getstate()


def minute(reference: Any) -> str:
    """
    Returns:
        The minute of a reference's clock, as the key of this minute's usage.

    Raises:
        Declined: Both sides run on a tape, and the minute may end between them: no tape holds this clock.
    """
    now = reference.datetime.now()
    if tape.is_playing() and _minute_of(now.timestamp() + _SLACK_SECONDS) != _minute_of(time.time()):
        raise Declined("minute_ends")
    key: str = now.strftime("%Y-%m-%d-%H-%M")
    return key


def _minute_of(seconds: float) -> int:
    return int(seconds) // _MINUTE


def tokens(reference: Any, messages: Any, text: Any) -> int:
    """
    Returns:
        The tokens of a request, counted by what the reference counts with; 0 when that fails, as there.

    Raises:
        Declined: The count is no whole number.
    """
    try:
        counted = reference.token_counter(messages=messages, text=text)
    except Exception:
        return 0
    if type(counted) is not int:
        raise Declined("opaque_number")
    return counted


def check(healthy_deployments: Any, *dicts: Any) -> None:
    """
    Raises:
        Declined: The deployments are no plain list, or one of the others is no plain dict.
    """
    if type(healthy_deployments) not in (list, Deployments):
        raise Declined("opaque_value")
    for it in dicts:
        if type(it) is not dict:
            raise Declined("opaque_value")
