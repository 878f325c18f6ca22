"""
Calls that are made up from a shape: as many messages of the same roles, text of the same size and Unicode class, and
nothing of anybody's content, because a shape holds none.

    text    random text of one Unicode class
    chat    calls with chat messages
    plain   calls of which nothing is known but that they have arguments
"""

from __future__ import annotations

from random import Random
from typing import Mapping

from fast_litellm.shadow.candidate import Call
from fast_litellm.shadow.synthetic import chat, plain

_MAKERS = {"chat": chat.call, "plain": plain.call}


def call(profile: str, values: Mapping[str, str], draw: Random) -> Call:
    """
    Args:
        profile: "chat" | "plain".
        values: A shape's values, dimension by dimension, as the native `shape_values` tells them.
        draw: Where the rest is drawn from.

    Returns:
        Arguments of that shape, or of one near to it where the values contradict each other.

    Raises:
        KeyError: There is no such profile.
    """
    return _MAKERS[profile](values, draw)
