"""The redaction candidate against LiteLLM's own function: the same text, or declined."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fast_litellm.accel.candidates.secret_redaction import SecretRedactionCandidate
from fast_litellm.errors import Declined

reference = pytest.importorskip("litellm.litellm_core_utils.secret_redaction")

SECRETS = [
    "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY----- never ends",
    "ya29.a0AfH6SMB",
    "client_secret   abc",
    "azure_password x",
    "AKIAABCDEFGHIJKLMNOP",
    "asiaabcdefghijklmnop",
    "Bearer abcdefghij.klm==",
    "Basic dXNlcjpwYXNzd29yZA==",
    "sk-abcdefghijklmnopqrstuvwx",
    "?api_key=abc&x=1",
    "&my_token=abc",
    "?déjà_token=abc",
    "api_key='abcdefgh'",
    "'api-key': 'x'",
    "x-api-key: short",
    "x-ak-abcdefghijklmnopqrstu",
    "AIzaSyA1234567890abcdefghijklmnopqrstuvw",
    "?key=abcdefghi",
    "db_password = hunter2",
    "motdepasséPASSWORD: x",
    "_secret=1",
    "SECRET_KEY: 'x'",
    "postgres://user:pass@host/db",
    "http://:@x",
    "dapi0123456789abcdef0123456789abcdef",
    "litellm.openai_key=abc",
    'private_key": "-----BEGIN PRIVATE KEY-----x-----END PRIVATE KEY-----"',
    "master_key: 1",
    "database_connection_string=abc",
    "aws_secret_access_key: x",
    "slack_webhook_url=y",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.abc",
    "?sig=abc%2F",
    '{"x": 1, "type": "service_account", "y": {"z": 2}}',
    '{"type" : "service_account"}',
]
BETWEEN = [
    "",
    " ",
    "\n",
    "a",
    "é",
    "_",
    "?",
    "&",
    "://",
    "{",
    "}",
    '"',
    "'",
    ":",
    "=",
    "\u00b2",
    "日本",
    "-",
    ".",
    "@",
    "ſ",
    "\ud800",
]


@pytest.fixture(scope="module")
def candidate() -> SecretRedactionCandidate:
    """A candidate for the installed LiteLLM."""
    return SecretRedactionCandidate(reference, "1")


def redacted(candidate: SecretRedactionCandidate, *args, **kwargs) -> str:
    """What the candidate answers."""
    return candidate.run(candidate.prepare(args, kwargs), args, kwargs)


@pytest.mark.parametrize("secret", SECRETS)
def test_every_kind_of_secret_is_redacted_alike(candidate, secret):
    """Alone, in a sentence, in capitals, cut short and twice."""
    for text in (
        secret,
        f"the key is {secret}, keep it",
        secret.upper(),
        secret[:-1],
        secret[1:],
        secret * 2,
        f"é{secret}日",
    ):
        assert reference.python_redact_string(text) == redacted(candidate, text)


def test_most_of_the_examples_do_hold_secrets():
    """Comparing texts in which nothing is found would prove little."""
    found = sum(reference.python_redact_string(secret) != secret for secret in SECRETS)

    assert len(SECRETS) - 3 <= found


def test_random_mixtures_are_redacted_alike(candidate):
    """Secrets, pieces of them and odd characters in any order: the same text, or declined for what is written there."""
    dice, answered = random.Random(1), 0
    for _ in range(20_000):
        parts = [dice.choice(SECRETS if dice.random() < 0.4 else BETWEEN) for _ in range(dice.randrange(1, 9))]
        text = "".join(part[dice.randrange(3) :] if dice.random() < 0.2 else part for part in parts)
        if "\ud800" in text or "ſ" in text:
            with pytest.raises(Declined, match=r"surrogates|case_folding"):
                redacted(candidate, text)
            continue
        assert reference.python_redact_string(text) == redacted(candidate, text)
        answered += 1
    assert answered > 10_000


WORDS = re.findall(r"[a-z_]{3,}[-.=]?", reference._SECRET_RE.pattern.lower())


@given(st.lists(st.one_of(st.sampled_from(WORDS), st.sampled_from(BETWEEN), st.text(max_size=3)), max_size=12))
@settings(max_examples=500, deadline=None)
def test_any_text_of_the_expressions_own_words_is_redacted_alike(candidate, parts):
    """The words are taken from LiteLLM's expression itself, so that a literal the native pass misses would show."""
    text = "".join(parts)
    try:
        answer = redacted(candidate, text)
    except Declined:
        return
    assert reference.python_redact_string(text) == answer


def test_a_text_may_be_given_by_name(candidate):
    """The candidate binds a call as the control does."""
    assert "REDACTED" == redacted(candidate, value="Bearer abcdefghijkl")


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (((), {}), "control_raises"),
        ((("a", "b"), {}), "control_raises"),
        (((b"sk-",), {}), "opaque_value"),
        (((type("Text", (str,), {})("x"),), {}), "opaque_value"),
    ],
)
def test_other_calls_are_declined(candidate, call, reason):
    """Python answers them, or raises."""
    with pytest.raises(Declined, match=reason):
        candidate.prepare(*call)


def test_another_expression_is_declined(candidate, monkeypatch):
    """Somebody who replaces the expression expects to see it used."""
    monkeypatch.setattr(reference, "_SECRET_RE", re.compile("x"))
    with pytest.raises(Declined, match="reference_patched"):
        candidate.prepare(("x",), {})
