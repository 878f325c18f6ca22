"""A client's certificate that LiteLLM is told of goes out over the pool as well; others are left to the original."""

from __future__ import annotations

import importlib.util
import os
import ssl
from pathlib import Path

import litellm
import pytest

from fast_litellm.accel.candidates import pool_identity, pool_trust

spec = importlib.util.spec_from_file_location("pool_callers", Path(__file__).with_name("callers.py"))
callers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(callers)
CALLERS, LiteLLM, Sync, both, status = callers.CALLERS, callers.LiteLLM, callers.Sync, callers.both, callers.status
http_handler = callers.http_handler
trustme = pytest.importorskip("trustme")


UNREADABLE = b"-----BEGIN CERTIFICATE-----\n\xff\n-----END CERTIFICATE-----"


@pytest.fixture
def asking_server(authority, tls_server):
    """One that wants a client's certificate."""
    context = callers.serving(authority.issue_cert("127.0.0.1"))
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    return tls_server(context)


@pytest.fixture
def told(tmp_path, monkeypatch):
    """Tells LiteLLM of a client's certificate, by its variable or by the environment's."""

    def tell(pem, *, by_environment=False) -> str:
        path = tmp_path / "client.pem"
        path.write_bytes(pem)
        if by_environment:
            monkeypatch.setenv("SSL_CERTIFICATE", str(path))
        else:
            monkeypatch.setattr(litellm, "ssl_certificate", str(path))
        return str(path)

    return tell


def showing(make, path):
    context = ssl.create_default_context()
    context.load_cert_chain(path)
    return make(**{"ssl_context" if make is LiteLLM else "verify": context})


def whole(issued) -> bytes:
    return issued.private_key_and_cert_chain_pem.bytes()


@pytest.mark.parametrize("make", CALLERS)
@pytest.mark.parametrize("by_environment", [False, True])
def test_a_certificate_that_litellm_is_told_of_is_shown(make, by_environment, rust, authority, asking_server, told):
    """The server gets it from both; without one it answers to nobody."""
    caller = showing(make, told(whole(authority.issue_cert("client")), by_environment=by_environment))
    control, _, found = both(caller, rust, asking_server, ("GET", asking_server.url + "/plain"))

    assert (200, 1, {}) == (control[0][0], found["served"]["rust"], found["declined"])


@pytest.mark.parametrize("kind", [trustme.KeyType.RSA, trustme.KeyType.ECDSA])
def test_certificates_of_every_kind_are_shown(kind, rust, authority, asking_server, told):
    """Whatever its key is made of."""
    caller = showing(Sync, told(whole(authority.issue_cert("client", key_type=kind))))
    _, _, found = both(caller, rust, asking_server, ("GET", asking_server.url + "/plain"))

    assert (1, {}) == (found["served"]["rust"], found["declined"])


@pytest.mark.parametrize("is_in_file", [True, False])
def test_what_is_between_it_and_the_authority_is_shown(is_in_file, rust, authority, asking_server, told, tmp_path):
    """From the file, or from what the context trusts: OpenSSL looks for issuers there."""
    below = authority.create_child_ca()
    issued = below.issue_cert("client")
    own = issued.private_key_pem.bytes() + issued.cert_chain_pems[0].bytes()
    caller = showing(Sync, told(whole(issued) if is_in_file else own))
    if not is_in_file:
        caller.options["verify"].load_verify_locations(cadata=below.cert_pem.bytes().decode())
        caller.options["verify"].verify_flags |= 0x80000
    _, _, found = both(caller, rust, asking_server, ("GET", asking_server.url + "/plain"))

    assert (1, {}) == (found["served"]["rust"], found["declined"])


@pytest.mark.filterwarnings("ignore:`cert:DeprecationWarning")
def test_litellms_own_clients_show_it(rust, authority, asking_server, told):
    """httpx loads it into the context that LiteLLM keeps."""
    told(whole(authority.issue_cert("client")))
    rust()
    handler = http_handler.HTTPHandler(timeout=5)
    try:
        answer = handler.get(asking_server.url + "/plain")
    finally:
        handler.close()

    assert (200, 1) == (answer.status_code, status()["served"]["rust"])


def test_a_certificate_that_litellm_does_not_know_is_left_to_the_original(
    rust, authority, asking_server, told, tmp_path
):
    """It is told of none, of another, of a file that is not there, holds no certificate, or has no writer yet."""
    caller = showing(Sync, told(whole(authority.issue_cert("client"))))
    rust()
    request = ("GET", asking_server.url + "/plain")
    for content in (whole(authority.issue_cert("client")), b"", UNREADABLE, None, os.mkfifo):
        if isinstance(content, bytes):
            told(content)
        elif content is None:
            Path("client.pem").unlink()
        else:
            content("client.pem")
        pool_trust._FINDINGS = pool_trust._PerContext()
        assert 200 == caller.send(request)[0][0]

    assert {"client_certificate": 5} == status()["declined"]


def test_a_key_that_is_encrypted_is_left_to_the_original(rust, authority, asking_server, told, tmp_path):
    """Only the context has its password."""
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    issued = authority.issue_cert("client")
    key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
    encrypted = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"p"),
    )
    context = ssl.create_default_context()
    context.load_cert_chain(told(encrypted + issued.cert_chain_pems[0].bytes()), password="p")
    rust()
    answer = Sync(verify=context).send(("GET", asking_server.url + "/plain"))[0]

    assert (200, {"pool_settings": 1}) == (answer[0], status()["declined"])


def test_no_key_is_kept(authority, told):
    """What a pool is known by holds certificates alone, which every server may see."""
    issued = authority.issue_cert("client")
    context = ssl.create_default_context()
    context.load_cert_chain(told(whole(issued)))
    shown = pool_trust.trust_of(context)

    assert (ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode()),) == shown.chain[:1]
    assert "PRIVATE KEY" not in repr(shown)
    assert b"PRIVATE KEY" in pool_identity.pem_of(shown.chain)


def test_a_context_without_a_certificate_shows_none(authority):
    """It answers the question with an empty list."""
    assert () == pool_identity.chain_of(ssl.create_default_context())
