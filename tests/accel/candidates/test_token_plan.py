"""Counting by a plan, here and in a worker process."""

from __future__ import annotations

import json

import pytest

import fast_litellm
from fast_litellm.accel import fingerprint, installation, references
from fast_litellm.accel.candidates.token_counting import SOURCES, TokenCountingCandidate
from fast_litellm.accel.candidates.token_plan import InWorker
from fast_litellm.errors import Declined
from fast_litellm.shadow.isolated import pack, unpack

litellm = pytest.importorskip("litellm")
reference = pytest.importorskip("litellm.litellm_core_utils.token_counter")

MESSAGES = [
    {"role": "user", "content": "Bonjour à tous"},
    {"role": "assistant", "content": None, "tool_calls": []},
    {"role": "user", "content": [{"type": "text", "text": "你好"}]},
]
CALLS = [
    {"model": "gpt-4o", "text": "some text"},
    {"model": "gpt-4", "text": ["some", "text"]},
    {"model": "gpt-3.5-turbo-0301", "messages": MESSAGES},
    {"model": "gpt-4o", "messages": MESSAGES, "use_default_image_token_count": True},
]


@pytest.fixture
def candidate():
    known = references.known("token_counting", fingerprint.fingerprint(SOURCES))
    return TokenCountingCandidate(reference, known.semantics)


@pytest.mark.parametrize("call", CALLS)
def test_a_plan_counts_the_same_on_the_other_side(candidate, call):
    """What crosses is plain, and the worker has no LiteLLM to ask."""
    plan = candidate.prepare((), call)
    crossed = unpack(pack(candidate.portable(plan)))
    assert candidate.run(plan, (), call) == InWorker().run(crossed, (), call)


def test_counting_switched_off_crosses_too(candidate, monkeypatch):
    """The switch is read where the program sets it."""
    monkeypatch.setattr(litellm, "disable_token_counter", True)
    assert 0 == InWorker().run(candidate.portable(candidate.prepare((), CALLS[0])), (), CALLS[0])


def test_a_vocabulary_that_is_not_there_is_declined(candidate):
    """There as here."""
    (encoding, _directory, *rest), fixed = candidate.portable(candidate.prepare((), CALLS[0]))
    with pytest.raises(Declined):
        InWorker().run(((encoding, "/nowhere", *rest), fixed), (), CALLS[0])


def test_litellms_function_is_compared_in_isolation(tmp_path, monkeypatch):
    """A rule puts the built-in candidate into a worker process, and it counts there as it does here."""
    monkeypatch.setenv("FAST_LITELLM_LEDGER", f"sqlite:///{tmp_path / 'ledger.db'}")
    rule = {"stage": "shadow", "shadow": {"mode": "isolated", "deadline": "10s", "budget": "100%"}}
    (tmp_path / "rollout.yaml").write_text(
        json.dumps({"version": 1, "flags": {"token_counting": rule}}), encoding="utf-8"
    )
    before = matched()
    fast_litellm.install(tmp_path / "rollout.yaml")
    try:
        for call in CALLS:
            reference.token_counter(**call)
        (attachment,) = [it for it in installation._current.attachments if it.seam.feature == "token_counting"]
        assert attachment.feature.runner.drain(60)
        assert len(CALLS) == matched() - before
        assert attachment.feature.runner.trial.cpu_elsewhere_ns > 0
    finally:
        fast_litellm.uninstall()


def matched():
    """Comparisons that found no difference, in this process."""
    from fast_litellm.accel.feature import tally

    return tally("token_counting").reading()["matched"]
