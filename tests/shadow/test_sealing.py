"""Sealing to a public key."""

from __future__ import annotations

import pytest

from fast_litellm.errors import LedgerError
from fast_litellm.shadow import sealing

CANARY = b"kanarienvogel"


def test_only_the_private_key_opens_it():
    """What is sealed shows nothing, and is another each time."""
    private_key, public_key = sealing.make_keys()
    one, other = (sealing.seal(public_key, CANARY) for _ in range(2))

    assert CANARY not in one
    assert one != other
    assert CANARY == sealing.unseal(private_key, one)


def test_another_key_opens_nothing():
    """Nor does the key that sealed it, nor the right one when something was changed."""
    private_key, public_key = sealing.make_keys()
    sealed = sealing.seal(public_key, CANARY)
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for key, data in ((sealing.make_keys()[0], sealed), (public_key, sealed), (private_key, changed)):
        with pytest.raises(LedgerError, match="another key, or has been changed"):
            sealing.unseal(key, data)


@pytest.mark.parametrize("text", ["", "short", "§", "A" * 43, "A" * 60])
def test_what_is_no_key_is_refused(text):
    """With the form that a key has, and without the text."""
    with pytest.raises(ValueError, match=r"^a key is 32 bytes in base64$"):
        sealing.seal(text, b"")
