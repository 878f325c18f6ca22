"""
The certificate of a client that a context of TLS holds, if any, and the same one for a pool.

A context does not tell what it holds, but it shows it to whoever asks. So a handshake of TLS 1.2 is begun, in memory,
with a server that asks for a certificate, and ends where the client has answered: until there nothing is encrypted.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import ssl
import sys
from pathlib import Path
from typing import List, Optional, Tuple

from fast_litellm.errors import Declined

Chain = Tuple[bytes, ...]
"""Certificates in DER, a client's own first."""

_PROBE = Path(__file__).with_name("probe.pem")
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_RECORD_OF_HANDSHAKE = 22
_MESSAGE_OF_CERTIFICATES = 11


def chain_of(context: ssl.SSLContext) -> Chain:
    """
    Returns:
        The certificates that a context shows to a server that asks for a client's; none where it holds none.

    Raises:
        Declined: It does not come to an answer.
    """
    try:
        return _certificates(_handshake(_flight(context)))
    except (ssl.SSLError, IndexError, ValueError):
        raise Declined("client_certificate") from None


def check_known(chain: Chain) -> None:
    """
    Raises:
        Declined: LiteLLM has not been told of a file that holds these certificates. Whether their key is there as well
            is found out when a pool is made.
    """
    pem_of(chain)


def pem_of(chain: Chain) -> bytes:
    """
    Read the file of `litellm.ssl_certificate`, whose content nobody is to keep.

    Args:
        chain: What a context shows.

    Returns:
        The file's key and certificates, and what OpenSSL shows beyond these: it looks for their issuers itself.

    Raises:
        Declined: There is no such file, or it holds something else.
    """
    file = configured_file()
    try:
        content = _content(file or "")
        held = tuple(ssl.PEM_cert_to_DER_cert(found) for found in _CERTIFICATE.findall(content))
    except (OSError, ValueError):
        raise Declined("client_certificate") from None
    if not held or held != chain[: len(held)]:
        raise Declined("client_certificate")
    return "\n".join([content, *map(ssl.DER_cert_to_PEM_cert, chain[len(held) :])]).encode("latin-1")


def _content(file: str) -> str:
    """Returns what a file holds; one that waits for somebody to write it would be waited for without end."""
    if not Path(file).is_file():
        raise FileNotFoundError(file)
    return Path(file).read_text(encoding="latin-1")


def configured_file() -> Optional[str]:
    """Returns the file that LiteLLM hands to httpx as a client's certificate and key."""
    file = os.environ.get("SSL_CERTIFICATE", getattr(sys.modules.get("litellm"), "ssl_certificate", None))
    return file if isinstance(file, str) else None


def _flight(context: ssl.SSLContext) -> bytes:
    """Returns what a client with a context's certificate answers to a server's first messages."""
    towards_client, towards_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking, believing = _asking(), _believing()
    server = asking.wrap_bio(towards_server, towards_client, server_side=True)
    client = believing.wrap_bio(towards_client, towards_server)
    client.context = context  # changes what it shows, and not whom it believes
    for side in (client, server, client):
        with contextlib.suppress(ssl.SSLWantReadError):  # then it is the other one's turn
            side.do_handshake()
    return towards_server.read()


@functools.cache
def _asking() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_PROBE)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # in 1.3 certificates are encrypted
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # asks for certificates of every kind
    return context


@functools.cache
def _believing() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _handshake(flight: bytes) -> bytes:
    """Returns the messages of a handshake until it is encrypted, without the records that carry them."""
    messages = []
    while flight and flight[0] == _RECORD_OF_HANDSHAKE:
        end = 5 + int.from_bytes(flight[3:5], "big")
        messages.append(flight[5:end])
        flight = flight[end:]
    return b"".join(messages)


def _certificates(messages: bytes) -> Chain:
    if messages[0] != _MESSAGE_OF_CERTIFICATES:
        raise ValueError
    rest = messages[7 : 7 + int.from_bytes(messages[4:7], "big")]
    found: List[bytes] = []
    while rest:
        end = 3 + int.from_bytes(rest[:3], "big")
        found.append(rest[3:end])
        rest = rest[end:]
    return tuple(found)
