"""LiteLLM's own native code as candidates: what they answer, decline and answer otherwise."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap

import pytest

import fast_litellm
from fast_litellm.accel import fingerprint, installation, references
from fast_litellm.accel.candidates import litellm_rust
from fast_litellm.accel.candidates.litellm_rust import LiteLLMRedactionCandidate, LiteLLMTokenCountingCandidate
from fast_litellm.accel.candidates.token_counting import SOURCES
from fast_litellm.errors import Declined

litellm = pytest.importorskip("litellm")
counting = pytest.importorskip("litellm.litellm_core_utils.token_counter")
redaction = pytest.importorskip("litellm.litellm_core_utils.secret_redaction")
pytest.importorskip("litellm.rust_bridge._native")

DEADLINE_S = 120
MODELS = ["gpt-4o", "gpt-4", "gpt-3.5-turbo-0301", "claude-sonnet-4-5", "gemini/gemini-pro", "", None]
TEXTS = [
    "",
    "Hello, how are you?",
    "<|endoftext|>",
    "你好,世界 " * 300,
    "def f(x):\n    return x  # naïve\n" * 60,
    "a" * 2000,
]
TOOL = {"type": "function", "function": {"name": "find", "description": "Finds", "parameters": {"type": "object"}}}
WHERE_PYTHON_DIFFERS = "\u00b2password = hunter22"
"""For Python's `\\w` a superscript belongs to a word, and is redacted with it; not for LiteLLM's Rust."""


@pytest.fixture(autouse=True)
def clean(tmp_path, monkeypatch):
    """What a test installs is gone after it."""
    monkeypatch.setenv("FAST_LITELLM_LEDGER", f"sqlite:///{tmp_path / 'ledger.db'}")
    yield
    fast_litellm.uninstall()


@pytest.fixture(scope="module")
def counter() -> LiteLLMTokenCountingCandidate:
    """A candidate for the installed LiteLLM."""
    known = references.known("token_counting", fingerprint.fingerprint(SOURCES))
    assert known is not None
    return LiteLLMTokenCountingCandidate(counting, known.semantics)


@pytest.fixture(scope="module")
def redactor() -> LiteLLMRedactionCandidate:
    """A candidate for the installed LiteLLM."""
    return LiteLLMRedactionCandidate(redaction, "1")


def asked(candidate, *args, **kwargs):
    """What the candidate answers, or the reason it declines with."""
    try:
        return candidate.run(candidate.prepare(args, kwargs), args, kwargs)
    except Declined as declined:
        return declined.reason


def image(**image_url) -> list:
    return [
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://127.0.0.1:9/", **image_url}}]}
    ]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("text", TEXTS)
def test_text_and_messages_count_as_with_pythons_tokenizer(counter, model, text):
    """Chunk by chunk where Python chunks, whole where it does not, also for the packaged Anthropic tokenizer."""
    messages = [
        {"role": "user", "content": text},
        {"role": "system", "name": "a", "content": [{"type": "text", "text": text}]},
    ]
    for call in ({"text": text}, {"messages": messages}, {"messages": messages, "tools": [TOOL]}):
        assert counting.token_counter(model=model, **call) == asked(counter, model=model, **call)


def test_arguments_may_stand_in_their_places(counter):
    """The tokenizer is the second parameter of the reference, wherever the caller stops."""
    messages = [{"role": "user", "content": "hello"}]

    assert counting.token_counter("gpt-4o", None, "hello") == asked(counter, "gpt-4o", None, "hello")
    assert counting.token_counter("gpt-4o", messages=messages) == asked(counter, "gpt-4o", messages=messages)


def test_a_long_text_is_estimated_from_the_same_samples(counter):
    """Above the reference's limit."""
    text = "some words, " * 400_000

    assert counting.token_counter(model="gpt-4", text=text) == asked(counter, model="gpt-4", text=text)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ({"text": "x", "messages": []}, "control_raises"),
        ({"text": "x", "custom_tokenizer": {}}, "custom_tokenizer"),
        ({"model": "llama-3-8b", "text": "x"}, "huggingface_tokenizer"),
        ({"messages": image(detail="high")}, "image"),
    ],
)
def test_what_it_declines(counter, call, reason):
    """What the first candidate declines beforehand, and whatever would be downloaded."""
    assert reason == asked(counter, **{"model": "gpt-4o", **call})


def test_images_that_nobody_downloads_are_counted(counter):
    """At low detail, or at a fixed price."""
    for call in (
        {"messages": image(detail="low")},
        {"messages": image(detail="high"), "use_default_image_token_count": True},
    ):
        assert counting.token_counter(model="gpt-4", **call) == asked(counter, model="gpt-4", **call)


def test_nothing_counts_where_counting_is_switched_off(counter, monkeypatch):
    """The answer is 0, as the reference's."""
    monkeypatch.setattr(litellm, "disable_token_counter", True)

    assert 0 == asked(counter, model="gpt-4o", text="hello")


@pytest.mark.parametrize("text", ["", "nothing here", "key sk-abcdefghijklmnopqrstuvwx!", "?api_key=abcdefgh&x=1"])
def test_secrets_are_redacted_as_by_python(redactor, text):
    """With the value by place and by name."""
    expected = redaction.python_redact_string(text)

    assert [expected] * 2 == [asked(redactor, text), asked(redactor, value=text)]


def test_where_its_redaction_differs_is_known(redactor):
    """Should LiteLLM's two agree one day, this example has served its time."""
    assert (" REDACTED", "\u00b2REDACTED") == (
        " " + redaction.python_redact_string(WHERE_PYTHON_DIFFERS),
        asked(redactor, WHERE_PYTHON_DIFFERS),
    )


def test_a_build_names_litellms_binary(counter, redactor, monkeypatch):
    """Evidence of one LiteLLM says nothing of another."""
    assert counter.build == redactor.build
    assert counter.build.startswith("litellm ")
    monkeypatch.setattr(litellm_rust, "_native", absent)
    assert "litellm without native code" == LiteLLMRedactionCandidate(redaction, "1").build


def absent():
    raise Declined("native_absent")


def test_without_native_code_every_call_is_declined(monkeypatch):
    """Releases before 1.94, and platforms without a wheel."""
    monkeypatch.setitem(sys.modules, "litellm.rust_bridge._native", None)

    assert "native_absent" == asked(LiteLLMRedactionCandidate(redaction, "1"), "x")


FORKS = """
    import os
    from litellm.litellm_core_utils import secret_redaction, token_counter
    from fast_litellm.accel.candidates.litellm_rust import LiteLLMRedactionCandidate, LiteLLMTokenCountingCandidate
    from fast_litellm.errors import Declined

    counter = LiteLLMTokenCountingCandidate(token_counter, "1.106")
    redactor = LiteLLMRedactionCandidate(secret_redaction, "1")
    call = {"model": "gpt-4o", "text": "hello"}
    assert counter.run(counter.prepare((), call), (), call) == 1
    assert redactor.run(None, ("x",), {}) == "x"
    child = os.fork()
    if child == 0:
        try:
            counter.prepare((), call)
        except Declined as declined:
            print(declined.reason, redactor.run(None, ("x",), {}), flush=True)
        os._exit(0)
    print(os.waitpid(child, 0)[1])
"""


def test_a_forked_child_counts_in_python_and_nobody_aborts():
    """LiteLLM's native tokenizer refuses to run after a fork; parent and child end as they should."""
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(FORKS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=DEADLINE_S, env=os.environ)

    assert (0, "native_unusable x\n0\n") == (done.returncode, done.stdout), done.stderr


def installed(tmp_path, **flags):
    path = tmp_path / "rollout.yaml"
    path.write_text(json.dumps({"version": 1, "flags": flags}), encoding="utf-8")
    fast_litellm.install(path)
    return lambda name: fast_litellm.status()["features"][name]


def drain(feature):
    features = [it.feature for it in installation._current.attachments if it.seam.feature == feature]
    assert all(it.runner.drain(30) for it in features)


def test_rules_can_give_it_litellms_calls(tmp_path):
    """Both seams serve it by name, and the answers are LiteLLM's."""
    status = installed(
        tmp_path, token_counting={"otherwise": "litellm_rust"}, secret_redaction={"otherwise": "litellm_rust"}
    )

    assert 1 == litellm.token_counter(model="gpt-4o", text="hello")
    assert "REDACTED" == redaction.redact_string("sk-abcdefghijklmnopqrstuvwx")
    assert [1, 1] == [status(name)["served"]["litellm_rust"] for name in ("token_counting", "secret_redaction")]


def test_the_shadow_compares_it(tmp_path):
    """What agrees is evidence of its build; where LiteLLM's two redactions differ, it is blocked."""
    rule = {"stage": "shadow", "candidate": "litellm_rust", "shadow": {"budget": "100%"}}
    status = installed(tmp_path, token_counting=rule, secret_redaction=rule)
    for _ in range(5):
        litellm.token_counter(model="gpt-4o", messages=[{"role": "user", "content": "hello"}])
    drain("token_counting")
    assert (5, 5) == (status("token_counting")["compared"], status("token_counting")["matched"])
    answer = redaction.redact_string(WHERE_PYTHON_DIFFERS)
    drain("secret_redaction")

    assert ("REDACTED", 1, "blocked") == (
        answer,
        status("secret_redaction")["diverged"],
        status("secret_redaction")["stage"],
    )
