"""Contexts of TLS that programs set to something: what a pool does as well, and what is left to the original."""

from __future__ import annotations

import importlib.util
import ssl
import time
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from fast_litellm.accel.candidates import pool_trust
from fast_litellm.errors import Declined

spec = importlib.util.spec_from_file_location("pool_callers", Path(__file__).with_name("callers.py"))
callers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(callers)
HTTPX, Sync, both, status = callers.HTTPX, callers.Sync, callers.both, callers.status
serving = callers.serving
trustme = pytest.importorskip("trustme")


class Own(ssl.SSLContext):
    """Somebody's own, which may do anything."""


def own_class(_context):
    context = Own(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    return context


def own_method(context):
    context.wrap_bio = context.wrap_bio


def keys_written(context):
    context.keylog_filename = "keys.log"


def asked_later(context):
    context.post_handshake_auth = True


def messages_told(context):
    context._msg_callback = lambda *_: None


def few_ciphers(context):
    context.set_ciphers("ECDHE+AESGCM")


def long_keys(context):
    context.set_ciphers("DEFAULT:@SECLEVEL=3")


def old_only(context):
    context.maximum_version = ssl.TLSVersion.TLSv1_1


def names_ignored(context):
    context.check_hostname = False


def taken_as_it_comes(context):
    context.verify_mode = ssl.CERT_OPTIONAL


def withdrawn(context):
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF


OTHERWISE = [
    (own_class, "tls_context"),
    *((change, "tls_settings") for change in (own_method, keys_written, messages_told, asked_later)),
    *((change, "tls_settings") for change in (few_ciphers, long_keys, old_only)),
    *((change, "tls_verification") for change in (names_ignored, taken_as_it_comes, withdrawn)),
]


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize(("change", "reason"), OTHERWISE)
def test_what_rustls_would_not_keep_to_is_declined(change, reason, rust, authority, tls_server):
    """The original transport uses the context as it is."""
    context = ssl.create_default_context()
    context = change(context) or context
    server = tls_server(serving(authority.issue_cert("127.0.0.1")))
    rust()
    Sync(verify=context).send(("GET", server.url + "/plain"))

    assert {reason: 1} == status()["declined"]


def newest(context):
    context.minimum_version = ssl.TLSVersion.TLSv1_3


def not_newest(context):
    context.options |= ssl.OP_NO_TLSv1_3


def more_ciphers(context):
    context.set_ciphers("ALL:@SECLEVEL=1")


def tickets_refused(context):
    context.options |= ssl.OP_NO_TICKET


@pytest.mark.filterwarnings("ignore:ssl.OP_NO_:DeprecationWarning")
@pytest.mark.parametrize("make", HTTPX)
@pytest.mark.parametrize("change", [newest, not_newest, more_ciphers, tickets_refused])
@pytest.mark.parametrize("spoken", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_what_rustls_does_as_well_is_kept_to(make, change, spoken, rust, authority, tls_server):
    """A version that the context forbids is no connection, and the original says so."""
    context = ssl.create_default_context()
    change(context)
    speaking = serving(authority.issue_cert("127.0.0.1"))
    speaking.minimum_version = speaking.maximum_version = spoken
    server = tls_server(speaking)
    control, _, found = both(make(verify=context), rust, server, ("GET", server.url + "/plain"))

    forbidden = {newest: ssl.TLSVersion.TLSv1_2, not_newest: ssl.TLSVersion.TLSv1_3}.get(change)
    assert (spoken == forbidden) is (control[0][0] is httpx.ConnectError)
    assert ({"not_connected": 1} if spoken == forbidden else {}) == found["declined"]


@pytest.mark.parametrize(("flags", "declined"), [(0, {"tls_roots": 1}), (0x80000, {})])
def test_an_authority_below_another_is_trusted_by_itself_only_where_both_do(
    flags, declined, rust, authority, tls_server, tmp_path
):
    """OpenSSL looks for its issuer, unless X509_V_FLAG_PARTIAL_CHAIN is set, as it is from Python 3.13."""
    below = authority.create_child_ca()
    below.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.create_default_context()
    context.verify_flags = (context.verify_flags & ~0x80000) | flags
    server = tls_server(serving(below.issue_cert("127.0.0.1")))
    control, _, found = both(Sync(verify=context), rust, server, ("GET", server.url + "/plain"))

    assert (not flags) is (control[0][0] is httpx.ConnectError)
    assert declined == found["declined"]


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("change", [keys_written, messages_told, names_ignored, taken_as_it_comes, withdrawn, old_only])
def test_what_a_context_is_set_to_later_is_kept_to_at_once(change, authority, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pool_trust, "time", SimpleNamespace(monotonic=lambda: 0, time=time.time))
    context = ssl.create_default_context()
    assert pool_trust.trust_of(context).is_verified
    change(context)

    with pytest.raises(Declined):
        pool_trust.trust_of(context)


def test_a_context_is_looked_at_again_after_a_while(authority, monkeypatch):
    """What is not asked of it for each request is asked every few seconds."""
    context, seconds = ssl.create_default_context(), [0]
    monkeypatch.setattr(pool_trust, "time", SimpleNamespace(monotonic=lambda: seconds[0], time=time.time))
    before = pool_trust.trust_of(context)
    authority.issue_cert("client").configure_cert(context)
    assert before is pool_trust.trust_of(context)

    seconds[0] = 5
    with pytest.raises(Declined, match="client_certificate"):
        pool_trust.trust_of(context)
