"""
Sealing to a public key: whoever seals cannot read it back. libsodium's sealed boxes, through PyNaCl.

Keys are texts: 32 bytes in base64.
"""

from __future__ import annotations

import base64
from typing import Tuple

from fast_litellm.errors import LedgerError, MissingExtraError

try:
    from nacl.exceptions import CryptoError
    from nacl.public import PrivateKey, PublicKey, SealedBox
except ImportError as error:
    raise MissingExtraError(__name__, "capture") from error

_KEY_BYTES = 32


def make_keys() -> Tuple[str, str]:
    """
    Returns:
        A new private key, and the public key that belongs to it.
    """
    private = PrivateKey.generate()
    return _text(bytes(private)), _text(bytes(private.public_key))


def seal(public_key: str, data: bytes) -> bytes:
    """
    Returns:
        What only the holder of the private key can open.

    Raises:
        ValueError: It is no key.
    """
    return SealedBox(PublicKey(_key(public_key))).encrypt(data)


def unseal(private_key: str, sealed: bytes) -> bytes:
    """
    Returns:
        What was sealed.

    Raises:
        LedgerError: It was sealed to another key, or changed since.
        ValueError: It is no key.
    """
    try:
        return SealedBox(PrivateKey(_key(private_key))).decrypt(sealed)
    except CryptoError:
        raise LedgerError("a captured call was sealed to another key, or has been changed") from None


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except ValueError:  # binascii's own are of this class
        key = b""
    if len(key) != _KEY_BYTES:
        raise ValueError(f"a key is {_KEY_BYTES} bytes in base64")
    return key


def _text(key: bytes) -> str:
    return base64.b64encode(key).decode("ascii")
