"""
Whom a context of TLS believes and what it shows, if a pool can be made to believe and show the same.

The pool's TLS is rustls, which has no settings for most of what a context can be set to. What it would do otherwise
must be stricter: then no connection comes about, and the original tries.
"""

from __future__ import annotations

import functools
import operator
import ssl
import sys
import time
import weakref
from typing import Any, Callable, FrozenSet, List, NamedTuple, Tuple, TypeVar, Union

from fast_litellm.accel.candidates import pool_identity
from fast_litellm.accel.candidates.pool_identity import Chain
from fast_litellm.errors import Declined

Made = TypeVar("Made")

_LOOKED_AT_S = 5
"""How long a context is taken for what it was: as long as httpx keeps a connection that was made with it before."""
_CIPHERS_OF = {
    ssl.TLSVersion.TLSv1_2: frozenset(
        f"ECDHE-{signed}-{cipher}"
        for signed in ("ECDSA", "RSA")
        for cipher in ("AES256-GCM-SHA384", "AES128-GCM-SHA256", "CHACHA20-POLY1305")
    ),
    ssl.TLSVersion.TLSv1_3: frozenset(
        ("TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256")
    ),
}
"""rustls's versions, and its ciphers of each."""
_FORBIDS = {ssl.TLSVersion.TLSv1_2: ssl.OP_NO_TLSv1_2, ssl.TLSVersion.TLSv1_3: ssl.OP_NO_TLSv1_3}
_PURPOSES, _SERVERS = bytes.fromhex("0603551d25"), bytes.fromhex("06082b06010505070301")
"""In DER: the extension of what a certificate's key is for, and that it is for servers (RFC 5280, 4.2.1.12)."""
_USUAL_LEVEL = 2
"""Of OpenSSL's security: above it are lengths of keys that rustls takes."""
_USUAL_FLAGS = ssl.VERIFY_X509_TRUSTED_FIRST | (ssl.VERIFY_X509_STRICT if sys.version_info >= (3, 13) else 0)
_PARTIAL_CHAIN = 0x80000
_HARMLESS_OPTIONS = functools.reduce(
    lambda found, name: found | getattr(ssl, name, 0),
    (
        *("OP_ALL", "OP_NO_SSLv2", "OP_NO_SSLv3", "OP_NO_TLSv1", "OP_NO_TLSv1_1", "OP_NO_TLSv1_2", "OP_NO_TLSv1_3"),
        *("OP_NO_COMPRESSION", "OP_NO_TICKET", "OP_NO_RENEGOTIATION", "OP_CIPHER_SERVER_PREFERENCE"),
        *("OP_SINGLE_DH_USE", "OP_SINGLE_ECDH_USE", "OP_ENABLE_MIDDLEBOX_COMPAT", "OP_LEGACY_SERVER_CONNECT"),
    ),
    0,
)
"""Of what rustls does not do anyway, of versions, and of what a server may do that rustls refuses."""


_ASKED = tuple(
    map(
        operator.attrgetter,
        (
            "verify_mode",
            "check_hostname",
            "verify_flags",
            "options",
            "minimum_version",
            "maximum_version",
            "keylog_filename",
        ),
    )
)
"""What a finding of a context holds for; its ciphers and what it shows are looked at again after a while."""


class Trust(NamedTuple):
    """
    Whom a pool believes over TLS, and what it shows.

    Args:
        roots: The certificates that it trusts, in DER.
        is_verified: Whether it looks at certificates at all.
        has_tls12: Whether it speaks TLS 1.2.
        has_tls13: Whether it speaks TLS 1.3.
        chain: The certificates of a client. Their key is where LiteLLM has it.
    """

    roots: FrozenSet[bytes] = frozenset()
    is_verified: bool = True
    has_tls12: bool = True
    has_tls13: bool = True
    chain: Chain = ()


class _PerContext:
    """What was found out of contexts, as long as they live: a finding of each, and what it holds for."""

    def __init__(self) -> None:
        self._found: weakref.WeakKeyDictionary[ssl.SSLContext, Tuple[Any, Any]] = weakref.WeakKeyDictionary()

    def find(self, context: ssl.SSLContext, key: Any, look: Callable[[], Made]) -> Made:
        """Returns what is known under a key, or what `look` finds."""
        known = self._found.get(context)
        if known is None or known[0] != key:
            known = self._found[context] = key, look()
        found: Made = known[1]
        return found


_FINDINGS = _PerContext()
_ROOTS = _PerContext()


def trust_of(context: Any) -> Trust:
    """
    Find out whom a context trusts and what it shows, if a pool can be made to do exactly that.

    Args:
        context: An `ssl.SSLContext`, or False where certificates are not looked at.

    Raises:
        Declined: It cannot be told, or not be done.
    """
    if context is False:
        return Trust(is_verified=False)
    if type(context) is not ssl.SSLContext or ssl.SSLContext.__module__ != "ssl":  # truststore takes its name
        raise Declined("tls_context")
    found = _FINDINGS.find(context, _state(context), functools.partial(_looked_at, context))
    if isinstance(found, str):
        raise Declined(found)
    return found


def _state(context: ssl.SSLContext) -> Tuple[Any, ...]:
    """Returns what a finding holds for: what is quickly asked of a context, and a few seconds for all else."""
    asked = (*(get(context) for get in _ASKED), *context.cert_store_stats().values(), _listener(context))
    return (*asked, pool_identity.configured_file(), time.monotonic() // _LOOKED_AT_S)


def _listener(context: ssl.SSLContext) -> Any:
    """Returns who is told of a context's messages, which is `ssl`'s own way to debug it: rustls tells nobody."""
    return getattr(context, "_msg_callback", None)


def _looked_at(context: ssl.SSLContext) -> Union[Trust, str]:
    """Returns the trust, or the reason why there is none."""
    try:
        _check_settings(context)
        _check_verification(context)
        is_verified = context.verify_mode == ssl.CERT_REQUIRED
        trust = Trust(_roots_of(context) if is_verified else frozenset(), is_verified, *_versions(context))
        chain = pool_identity.chain_of(context)
        if chain:
            pool_identity.check_known(chain)
        return trust._replace(chain=chain)
    except Declined as declined:
        return str(declined)


def _check_settings(context: ssl.SSLContext) -> None:
    """
    Raises:
        Declined: The context is set to something that rustls would not keep to.
    """
    is_told = context.keylog_filename or vars(context) or context.post_handshake_auth or _listener(context)
    options = (context.options ^ _usual_options()) & ~_HARMLESS_OPTIONS
    level = getattr(context, "security_level", _USUAL_LEVEL)
    is_usual_protocol = context.protocol in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS)
    if is_told or options or level > _USUAL_LEVEL or not is_usual_protocol:
        raise Declined("tls_settings")


def _check_verification(context: ssl.SSLContext) -> None:
    """
    Raises:
        Declined: Certificates are looked at in another way than usual.
    """
    is_plain = (context.verify_mode, context.check_hostname) in ((ssl.CERT_REQUIRED, True), (ssl.CERT_NONE, False))
    is_more = context.verify_flags & ~(_USUAL_FLAGS | _PARTIAL_CHAIN) or context.cert_store_stats()["crl"]
    if not is_plain or is_more:
        raise Declined("tls_verification")


@functools.cache
def _usual_options() -> int:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).options


def _versions(context: ssl.SSLContext) -> Tuple[bool, bool]:
    """
    Returns:
        Whether a context speaks TLS 1.2, and 1.3.

    Raises:
        Declined: Neither, or rustls has ciphers that the context has not.
    """
    allowed = {version: _allows(context, version) for version in _CIPHERS_OF}
    ciphers = {cipher["name"] for cipher in context.get_ciphers()}
    if not any(allowed.values()) or any(allowed[it] and not ciphers >= _CIPHERS_OF[it] for it in allowed):
        raise Declined("tls_settings")
    return allowed[ssl.TLSVersion.TLSv1_2], allowed[ssl.TLSVersion.TLSv1_3]


def _allows(context: ssl.SSLContext, version: ssl.TLSVersion) -> bool:
    lowest, highest = context.minimum_version, context.maximum_version
    is_within = lowest <= version and (highest == ssl.TLSVersion.MAXIMUM_SUPPORTED or version <= highest)
    return is_within and not context.options & _FORBIDS[version]


def _roots_of(context: ssl.SSLContext) -> FrozenSet[bytes]:
    """
    Returns:
        The certificates that a context trusts today: rustls does not look at the dates of those.

    Raises:
        Declined: It knows of none yet, as where it looks into a directory when it needs one; or it trusts the
            certificate of an authority only together with its issuer's, which to rustls is trusted by itself.
    """
    count = context.cert_store_stats()["x509"]
    trusted, are_roots = _ROOTS.find(context, count, functools.partial(_trusted, context))
    if not trusted or not (are_roots or context.verify_flags & _PARTIAL_CHAIN):
        raise Declined("tls_roots")
    now = time.time()
    return frozenset(root.der for root in trusted if root.begins <= now <= root.ends and _is_for_servers(root.der))


def _is_for_servers(root: bytes) -> bool:
    """Whether a root's purposes, which rustls does not look at, are not told or a server's among them."""
    return _PURPOSES not in root or _SERVERS in root


class _Root(NamedTuple):
    der: bytes
    begins: float
    ends: float


def _trusted(context: ssl.SSLContext) -> Tuple[List[_Root], bool]:
    told: Any = context.get_ca_certs()
    are_roots = all(each["subject"] == each["issuer"] for each in told)
    dates = [(ssl.cert_time_to_seconds(each["notBefore"]), ssl.cert_time_to_seconds(each["notAfter"])) for each in told]
    return [_Root(der, *at) for der, at in zip(context.get_ca_certs(binary_form=True), dates)], are_roots
