"""Text to count."""

from __future__ import annotations

from random import Random

import pytest

from fast_litellm.cli.bench.corpus import PIECES

# LiteLLM's table is JSON like any other here, and importing LiteLLM takes seconds: the bench itself covers that kind.
KINDS = sorted(set(PIECES) - {"JSON"})


@pytest.mark.parametrize("kind", KINDS)
def test_every_piece_is_as_long_as_litellm_counts_in(kind):
    """Each text is one piece of 1,024 characters, whatever it is made of."""
    random = Random(1)

    assert {1024} == {len(PIECES[kind](random)) for _ in range(20)}


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"one letter"}))
def test_pieces_are_never_the_same(kind):
    """A cache of whole texts would find none of them again; of one letter alone there are only 26."""
    random = Random(1)

    assert len({PIECES[kind](random) for _ in range(200)}) == 200


def test_the_same_seed_gives_the_same_pieces():
    """Two runs of the bench count the same texts."""
    first, second = Random(3), Random(3)

    assert [PIECES["prose"](first) for _ in range(5)] == [PIECES["prose"](second) for _ in range(5)]
