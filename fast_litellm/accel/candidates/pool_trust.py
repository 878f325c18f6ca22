"""
Whom a context of TLS believes and what it shows, if a pool of pyreqwest can be made to believe and show the same.

pyreqwest's TLS is rustls, which has no settings for most of what a context can be set to. What it would do otherwise
must be stricter: then no connection comes about, and the original tries.
"""

from __future__ import annotations

import functools
import operator
import os
import ssl
import sys
import time
import weakref
from pathlib import Path
from typing import Any, Callable, FrozenSet, NamedTuple, Optional, Tuple, TypeVar, Union

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
_NAMES = {ssl.TLSVersion.TLSv1_2: "TLSv1.2", ssl.TLSVersion.TLSv1_3: "TLSv1.3"}
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
        roots: The certificates that it trusts beside the platform's, in DER.
        is_verified: Whether it looks at certificates at all.
        version: The only one of TLS, or None for 1.2 and 1.3.
        chain: The certificates of a client. Their key is where LiteLLM has it.
    """

    roots: FrozenSet[bytes] = frozenset()
    is_verified: bool = True
    version: Optional[str] = None
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

    pyreqwest always trusts the platform's roots, so these must be among the context's. Which they are is known where
    SSL_CERT_FILE names them.

    Args:
        context: An `ssl.SSLContext`, or False where certificates are not looked at.

    Raises:
        Declined: It cannot be told, or not be done.
    """
    if context is False:
        return Trust(is_verified=False)
    if type(context) is not ssl.SSLContext or ssl.SSLContext.__module__ != "ssl":  # truststore takes its name
        raise Declined("tls_context")
    file = os.environ.get("SSL_CERT_FILE")
    if context.verify_mode != ssl.CERT_NONE and (not file or os.environ.get("SSL_CERT_DIR") or sys.platform != "linux"):
        raise Declined("tls_roots")
    found = _FINDINGS.find(context, _state(context, file), functools.partial(_looked_at, context, file))
    if isinstance(found, str):
        raise Declined(found)
    return found


def _state(context: ssl.SSLContext, file: Optional[str]) -> Tuple[Any, ...]:
    """Returns what a finding holds for: what is quickly asked of a context, and a few seconds for all else."""
    asked = (*(get(context) for get in _ASKED), *context.cert_store_stats().values(), _listener(context))
    return (*asked, file, pool_identity.configured_file(), time.monotonic() // _LOOKED_AT_S)


def _listener(context: ssl.SSLContext) -> Any:
    """Returns who is told of a context's messages, which is `ssl`'s own way to debug it: pyreqwest tells nobody."""
    return getattr(context, "_msg_callback", None)


def _looked_at(context: ssl.SSLContext, file: Optional[str]) -> Union[Trust, str]:
    """Returns the trust, or the reason why there is none."""
    try:
        _check_settings(context)
        _check_verification(context)
        roots = _roots_of(context, file) if context.verify_mode == ssl.CERT_REQUIRED else frozenset()
        trust = Trust(roots, context.verify_mode == ssl.CERT_REQUIRED, _only_version(context))
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


def _only_version(context: ssl.SSLContext) -> Optional[str]:
    """
    Returns:
        The only version of TLS that a context and rustls speak; None where it is both of rustls's.

    Raises:
        Declined: There is none, or rustls has ciphers that the context has not.
    """
    versions = [version for version in _CIPHERS_OF if _allows(context, version)]
    ciphers = {cipher["name"] for cipher in context.get_ciphers()}
    if not versions or any(not ciphers >= _CIPHERS_OF[version] for version in versions):
        raise Declined("tls_settings")
    return None if len(versions) > 1 else _NAMES[versions[0]]


def _allows(context: ssl.SSLContext, version: ssl.TLSVersion) -> bool:
    lowest, highest = context.minimum_version, context.maximum_version
    is_within = lowest <= version and (highest == ssl.TLSVersion.MAXIMUM_SUPPORTED or version <= highest)
    return is_within and not context.options & _FORBIDS[version]


def _roots_of(context: ssl.SSLContext, file: Optional[str]) -> FrozenSet[bytes]:
    """
    Returns:
        What a context trusts beside the platform's roots.

    Raises:
        Declined: It does not trust all of these, or trusts the certificate of an authority only together with its
            issuer's, which to rustls is trusted by itself.
    """
    count = context.cert_store_stats()["x509"]
    platforms = _platforms(file)
    trusted, are_roots = _ROOTS.find(context, count, functools.partial(_trusted, context))
    if not platforms <= trusted or not (are_roots or context.verify_flags & _PARTIAL_CHAIN):
        raise Declined("tls_roots")
    return trusted - platforms


def _trusted(context: ssl.SSLContext) -> Tuple[FrozenSet[bytes], bool]:
    told: Any = context.get_ca_certs()
    are_roots = all(each["subject"] == each["issuer"] for each in told)
    return frozenset(context.get_ca_certs(binary_form=True)), are_roots


def _platforms(file: Optional[str]) -> FrozenSet[bytes]:
    """
    Returns:
        The roots in the file of SSL_CERT_FILE.

    Raises:
        Declined: There is no such file.
    """
    try:
        found = Path(file or "").stat()
        return _read_roots(file or "", found.st_mtime_ns, found.st_size)
    except OSError:  # of `ssl` as well
        raise Declined("tls_roots") from None


@functools.lru_cache(maxsize=4)
def _read_roots(file: str, changed: int, size: int) -> FrozenSet[bytes]:  # noqa: ARG001 - a file that changes is another
    return frozenset(ssl.create_default_context(cafile=file).get_ca_certs(binary_form=True))
