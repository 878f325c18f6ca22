"""Noticing that somebody has changed a tokenizer of tiktoken's in place, or put his own among them."""

from __future__ import annotations

import pytest

from fast_litellm.accel.candidates.tokenizers_made import TokenizersMade
from fast_litellm.errors import Declined

tiktoken = pytest.importorskip("tiktoken")


def made(name: str):
    """A small tokenizer."""
    ranks = {bytes([byte]): byte for byte in range(256)}
    return tiktoken.Encoding(name, pat_str=r"\S+|\s+", mergeable_ranks=ranks, special_tokens={"<end>": 256})


@pytest.fixture
def encodings(monkeypatch):
    """tiktoken's table of tokenizers, with one in it."""
    table = {"one": made("one")}
    monkeypatch.setattr(tiktoken.registry, "ENCODINGS", table)
    return table


def test_tokenizers_that_count_and_further_ones_are_no_change(encodings):
    """Some of what they say of themselves they keep; more are made when they are asked for."""
    tokenizers = TokenizersMade()
    tokenizers.check()
    encodings["one"].encode("a b", disallowed_special=())
    assert {"<end>"} == encodings["one"].special_tokens_set
    tokenizers.check()
    encodings["two"] = made("two")
    tokenizers.check()
    encodings.clear()
    tokenizers.check()
    encodings["one"] = made("one")
    tokenizers.check()


@pytest.mark.parametrize("name", ["encode", "encode_ordinary", "_core_bpe"])
def test_a_tokenizer_changed_in_place_is_noticed(encodings, monkeypatch, name):
    """Also one that was made later; and when it is put back, calls are counted again."""
    tokenizers = TokenizersMade()
    encodings["two"] = made("two")
    tokenizers.check()
    monkeypatch.setattr(encodings["two"], name, lambda *_, **__: [])
    for _ in range(2):
        with pytest.raises(Declined, match="reference_patched"):
            tokenizers.check()
    monkeypatch.undo()
    encodings_again = tiktoken.registry.ENCODINGS
    tokenizers.check()
    assert encodings_again is not encodings


@pytest.mark.parametrize("other", [object(), made("other")], ids=["an object", "a tokenizer"])
def test_somebodys_own_among_them_is_noticed(encodings, other):
    """Even one of tiktoken's class, under a name that had another."""
    tokenizers = TokenizersMade()
    tokenizers.check()
    encodings["one"] = other
    with pytest.raises(Declined, match="reference_patched"):
        tokenizers.check()
