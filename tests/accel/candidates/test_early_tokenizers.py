"""Which tokenizer LiteLLM 1.83 counts with, told from what it remembers itself."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from fast_litellm.accel.candidates.early_tokenizers import EarlyTokenizers
from fast_litellm.accel.candidates.token_models import TokenModel, TokenModels
from fast_litellm.errors import Declined

litellm = pytest.importorskip("litellm")
pytest.importorskip("tiktoken")

OPENAI, HUGGING_FACE = {"type": "openai_tokenizer"}, {"type": "huggingface_tokenizer"}


class Release:
    """As much of LiteLLM 1.83 as is asked: its choice for each model, and the names of tiktoken's models."""

    def __init__(self) -> None:
        self.chosen: dict = {}
        self.asked: list = []

    def _select_tokenizer(self, model):
        self.asked.append(model)
        return self.chosen.get(model, OPENAI)

    def _fix_model_name(self, model):
        return model.removeprefix("azure/")


@pytest.fixture
def release() -> Release:
    return Release()


@pytest.fixture
def early(release) -> EarlyTokenizers:
    return EarlyTokenizers(release, release)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gpt-4o", "o200k_base"),
        ("azure/my-gpt-4o-mini", "o200k_base"),
        ("gpt-4", "cl100k_base"),
        ("text-davinci-003", "p50k_base"),
        ("nobody-knows-this-one", "cl100k_base"),
    ],
)
def test_a_models_encoding_is_tiktokens(early, model, expected):
    """By its name as the release normalises it; gpt-4o is known by a part of its name, others to tiktoken alone."""
    assert expected == early.openai_tokenizer_encoding_name(model)


@pytest.mark.parametrize(
    ("model", "expected"),
    [("gpt-3.5-turbo-0301", True), ("azure/gpt-3.5-turbo-0301", True), ("gpt-4", False)],
)
def test_one_model_is_priced_as_before(early, model, expected):
    """By its normalised name."""
    assert expected is early.uses_legacy_message_accounting(model)


def test_the_release_is_asked_again_each_time(early, release):
    """It remembers a limited number of models, and forgets: what it says now is what the control counts with."""
    found = [early.huggingface_tokenizer_kind("m")]
    release.chosen["m"] = HUGGING_FACE
    found.append(early.huggingface_tokenizer_kind("m"))

    assert ([None, False], ["m", "m"]) == ([found[0], found[1] is None], release.asked)


@pytest.fixture
def models(release, monkeypatch):
    """The table of models over such a release."""
    from litellm import utils

    monkeypatch.delattr(utils, "huggingface_tokenizer_kind", raising=False)
    monkeypatch.setattr(utils, "_select_tokenizer", release._select_tokenizer, raising=False)
    reference = SimpleNamespace(litellm=litellm, _fix_model_name=release._fix_model_name)
    return TokenModels(reference, reads_cost_map=False)


def test_a_model_that_changes_its_tokenizer_is_not_counted_as_before(models, release):
    """Without a change of anything else."""
    before = models.find("gpt-4")
    release.chosen["gpt-4"] = HUGGING_FACE

    assert TokenModel("cl100k_base", legacy=False) == before
    with pytest.raises(Declined, match="huggingface_tokenizer"):
        models.find("gpt-4")


def test_no_model_is_the_default_encoding(models, release):
    """Nobody is asked for it."""
    assert (TokenModel("cl100k_base", legacy=False), []) == (models.find(None), release.asked)
