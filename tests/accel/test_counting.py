"""Token counts for a program's own use."""

from __future__ import annotations

import json

import pytest

import fast_litellm
from fast_litellm.accel import counting, installation

litellm = pytest.importorskip("litellm")

STAGES = ("off", "shadow", "on")
BATCH = [
    "Hello",
    [{"role": "user", "content": "Hello"}],
    "",
    [{"role": "user", "content": [{"type": "text", "text": "a"}]}],
]


@pytest.fixture(autouse=True)
def uninstalled():
    """Every test ends uninstalled."""
    yield
    fast_litellm.uninstall()


@pytest.fixture
def installed(tmp_path):
    """Installs with batch counting alone at a stage."""

    def at(stage: str) -> None:
        flag = {"stage": stage, **({"shadow": {"percent": 100, "budget": "100%"}} if stage == "shadow" else {})}
        path = tmp_path / "rollout.yaml"
        path.write_text(json.dumps({"version": 1, "flags": {"batch_token_counting": flag}}), encoding="utf-8")
        fast_litellm.install(path)

    return at


def counters() -> dict:
    """The feature's counters once nothing is in flight."""
    for attachment in installation._current.attachments:
        if attachment.feature is not None and attachment.feature.runner is not None:
            assert attachment.feature.runner.drain(10)
    return fast_litellm.status()["features"]["batch_token_counting"]


def test_a_batch_counts_the_same_at_every_stage(installed):
    """The counts are those of single calls; counters say who counted."""
    expected = [
        fast_litellm.count_tokens("gpt-4o", text=it) if isinstance(it, str) else fast_litellm.count_tokens("gpt-4o", it)
        for it in BATCH
    ]
    found, read = [], {}
    for stage in STAGES:
        installed(stage)
        found.append(fast_litellm.count_tokens_batch("gpt-4o", iter(BATCH)))
        read[stage] = counters()

    assert [expected] * 3 == found
    assert {"python": 1, "rust": 1} == read["on"]["served"]
    assert (1, 1) == (read["shadow"]["compared"], read["shadow"]["matched"])


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("item", [None, [{"role": "user", "content": [{"type": "hologram"}]}], ["text"]])
def test_errors_are_those_of_single_calls(installed, stage, item):
    """The same class and message, whatever the stage."""
    with pytest.raises(Exception) as expected:  # noqa: PT011 - whatever it is, it is to be the same
        pytest.fail(str(fast_litellm.count_tokens("gpt-4o", item)))
    installed(stage)
    with pytest.raises(type(expected.value)) as found:
        fast_litellm.count_tokens_batch("gpt-4o", ["fine", item])

    assert str(expected.value) == str(found.value)


def test_progress_is_told_part_by_part(monkeypatch):
    """How many are counted, each time some more are; the batch is read no further ahead than that."""
    monkeypatch.setattr(counting, "_PART", 2)
    read, told = [], []

    def batch():
        for index in range(5):
            read.append(index)
            yield "Hello"

    counts = fast_litellm.count_tokens_batch("gpt-4o", batch(), progress=lambda done: told.append((done, len(read))))

    assert 5 == len(counts)
    assert [(2, 2), (4, 4), (5, 5)] == told


def test_an_empty_batch_has_no_counts():
    """And nothing to say of progress."""
    told = []

    assert [] == fast_litellm.count_tokens_batch("gpt-4o", [], progress=told.append)
    assert [] == told
