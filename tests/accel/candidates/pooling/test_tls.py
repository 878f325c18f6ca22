"""The pool over TLS: whom it believes, what it declines, and what goes wrong there."""

from __future__ import annotations

import importlib.util
import io
import ssl
import sys
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from fast_litellm.accel.candidates import pool_trust

spec = importlib.util.spec_from_file_location("pool_callers", Path(__file__).with_name("callers.py"))
callers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(callers)
CALLERS, HTTPX, LiteLLM, Sync = callers.CALLERS, callers.HTTPX, callers.LiteLLM, callers.Sync
SHORT_S, both, status = callers.SHORT_S, callers.both, callers.status
http_handler, serving = callers.http_handler, callers.serving
trustme = pytest.importorskip("trustme")
UNCLOSED_BY_ASYNCIO = [] if sys.version_info >= (3, 11) else ["ignore::pytest.PytestUnraisableExceptionWarning"]
"""Transports of its TLS that it did not close until Python 3.11."""


def trusting(make, context=None, **more):
    """A caller whose transport trusts what LiteLLM's does, or as a context of its own."""
    context = context or http_handler.get_ssl_configuration()
    return make(**{"ssl_context" if make is LiteLLM else "verify": context}, **more)


@pytest.fixture
def secure_server(authority, tls_server):
    """One that everybody believes."""
    return tls_server(serving(authority.issue_cert("127.0.0.1")))


@pytest.mark.parametrize("make", CALLERS)
@pytest.mark.parametrize("names", [["127.0.0.1"], ["localhost"]])
@pytest.mark.parametrize("is_known", [True, False])
def test_certificates_are_believed_alike(make, names, is_known, rust, authority, tls_server):
    """One of the authority for the server's name; of another or for another name it is no connection."""
    issuer = authority if is_known else trustme.CA()
    server = tls_server(serving(issuer.issue_cert(*names)))
    control, _, found = both(trusting(make, has_texts=True), rust, server, ("GET", server.url + "/plain"))

    is_fine = is_known and names == ["127.0.0.1"]
    assert is_fine is (control[0][0] == 200)
    assert ({} if is_fine else {"not_connected": 1}) == found["declined"]


@pytest.mark.parametrize("context", [httpx.create_ssl_context, ssl.create_default_context])
@pytest.mark.parametrize("make", CALLERS)
def test_contexts_of_others_are_taken(make, context, rust, secure_server):
    """httpx makes one for each client that is given none, the OpenAI SDK's among them."""
    _, _, found = both(trusting(make, context()), rust, secure_server, ("GET", secure_server.url + "/plain"))

    assert (1, {}) == (found["served"]["rust"], found["declined"])


@pytest.mark.parametrize("make", CALLERS)
def test_a_read_that_takes_too_long_over_tls_raises_alike(make, rust, secure_server):
    """`ssl` has a text of its own, which LiteLLM looks for."""
    more = {"timeout": httpx.Timeout(5, read=SHORT_S + 0.2, connect=SHORT_S)}
    requests = [("GET", secure_server.url + path, more) for path in ("/hang", "/hangbody")]
    _, _, found = both(trusting(make), rust, secure_server, *requests)

    assert (0, {}) == (found["served"]["python"], found["declined"])


@pytest.mark.filterwarnings(*UNCLOSED_BY_ASYNCIO)
@pytest.mark.parametrize("make", CALLERS)
def test_what_ends_unannounced_over_tls_raises_alike(make, rust, secure_server):
    """The connection is closed below TLS, which does not hear of it: an end like any other."""
    paths, more = ("/close", "/part", "/cut", "/cutstart", "/cutmid"), {"json": {}}
    requests = [("POST", secure_server.url + path, more) for path in paths]
    _, sent, _ = both(trusting(make), rust, secure_server, *requests)

    assert len(paths) == len(sent)


@pytest.mark.parametrize("make", CALLERS)
def test_a_body_without_a_length_may_end_unannounced(make, rust, secure_server):
    """Nobody knows how long it was to be."""
    control, _, _ = both(trusting(make), rust, secure_server, ("GET", secure_server.url + "/unlimited"))

    assert b"hello" == control[0][-1]


@pytest.mark.parametrize("make", HTTPX)
def test_what_found_no_connection_is_sent_by_the_original(make, rust, authority, tls_server):
    """The server has no cipher that rustls has; a file that was read for the candidate is read again."""
    context = serving(authority.issue_cert("127.0.0.1"))
    context.set_ciphers("ECDHE-ECDSA-AES256-SHA384")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    server = tls_server(context)
    more = {"files": {"a": io.BytesIO(b"abc")}, "headers": {"Content-Type": "multipart/form-data; boundary=b"}}
    control, sent, found = both(
        trusting(make, ssl.create_default_context()), rust, server, ("POST", server.url + "/plain", more)
    )

    assert (200, True, {"not_connected": 1}) == (control[0][0], b"abc" in sent[0].body, found["declined"])


UNVERIFIED = [(LiteLLM, {"ssl_verify": False}), (Sync, {"verify": False}), (callers.Async, {"verify": False})]


@pytest.mark.parametrize(("make", "options"), UNVERIFIED)
def test_certificates_nobody_looks_at_are_believed_alike(make, options, rust, authority, tls_server):
    """LiteLLM with `ssl_verify=False`, httpx with `verify=False`."""
    server = tls_server(serving(trustme.CA().issue_cert("elsewhere.invalid")))
    control, _, found = both(make(**options), rust, server, ("GET", server.url + "/plain"))

    assert (200, 1) == (control[0][0], found["served"]["rust"])


@pytest.mark.parametrize("make", CALLERS)
def test_a_context_is_believed_and_not_the_platform(make, rust, authority, tls_server, monkeypatch, tmp_path):
    """Whom SSL_CERT_FILE names, or nobody: what a context was told is all it trusts."""
    other = trustme.CA()
    other.cert_pem.write_to_path(tmp_path / "other.pem")
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "other.pem"))
    known, unknown = (tls_server(serving(it.issue_cert("127.0.0.1"))) for it in (authority, other))
    requests = [("GET", server.url + "/plain") for server in (known, unknown)]
    control, _, found = both(trusting(make, context, has_texts=True), rust, known, *requests)

    assert (200, True) == (control[0][0], control[1][0] != 200)
    assert (1, {"not_connected": 1}) == (found["served"]["rust"], found["declined"])


def test_a_context_that_knows_nobody_yet_is_left_to_httpx(rust, secure_server):
    """It may look into a directory when it needs to."""
    rust()
    Sync(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)).send(("GET", secure_server.url + "/plain"))

    assert {"tls_roots": 1} == status()["declined"]


@pytest.mark.parametrize("name", ["notBefore", "notAfter"])
def test_an_authority_is_believed_in_its_time_alone(name, authority, monkeypatch):
    """rustls looks at the dates of a server's certificate, and not at those of a root."""
    context = httpx.create_ssl_context()
    kept = pool_trust.trust_of(context).roots
    then = ssl.cert_time_to_seconds(context.get_ca_certs()[0][name]) + (1 if name == "notAfter" else -1)
    monkeypatch.setattr(pool_trust, "time", SimpleNamespace(monotonic=lambda: then, time=lambda: then))

    assert (1, frozenset()) == (len(kept), pool_trust.trust_of(context).roots)


@pytest.mark.parametrize(("purpose", "is_believed"), [("SERVER_AUTH", True), ("CLIENT_AUTH", False)])
def test_an_authority_is_believed_for_its_purposes_alone(purpose, is_believed, rust, authority, secure_server):
    """rustls looks at the purposes of a server's certificate, and not at those of a root."""
    context = ssl.create_default_context(cadata=_with_purpose(authority, purpose))
    control, _, found = both(Sync(verify=context), rust, secure_server, ("GET", secure_server.url + "/plain"))

    assert (is_believed, int(is_believed)) == (control[0][0] == 200, found["served"]["rust"])
    assert found["declined"].keys() == (set() if is_believed else {"not_connected"})


def _with_purpose(authority, name) -> str:
    """The authority's root, made anew with an extension that tells what its key is for."""
    root = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
    key = serialization.load_pem_private_key(authority.private_key_pem.bytes(), None)
    made = x509.CertificateBuilder(root.subject, root.subject, key.public_key(), root.serial_number + 1)
    made = made.not_valid_before(root.not_valid_before_utc).not_valid_after(root.not_valid_after_utc)
    for each in root.extensions:
        made = made.add_extension(each.value, each.critical)
    made = made.add_extension(x509.ExtendedKeyUsage([getattr(x509.oid.ExtendedKeyUsageOID, name)]), critical=False)
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
