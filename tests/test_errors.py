"""The signals between a candidate and the rest."""

from __future__ import annotations

import pytest

from fast_litellm.errors import Declined


@pytest.mark.parametrize("reason", ["custom_tokenizer", "tools at stage 2", "x" * 64])
def test_a_short_word_is_kept(reason):
    """It is what is counted and shown."""
    assert (reason, reason) == (Declined(reason).reason, str(Declined(reason)))


class Text(str):
    """A text with a mind of its own."""


@pytest.mark.parametrize("reason", [7, None, b"x", "", "\ud800", "two\nlines", "x" * 65, "naïve", Text("x")])
def test_what_is_no_short_word_is_unspecified(reason):
    """It may be content, or something that native code cannot count."""
    assert ("unspecified", "unspecified") == (Declined(reason).reason, str(Declined(reason)))
