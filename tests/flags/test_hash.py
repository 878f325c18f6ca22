"""Units fall into the buckets, and on the sides, that the engine a team comes from gives them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fast_litellm.flags import FlagManager

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "hashes.json").read_text(encoding="utf-8"))
MILLIONTHS_PER_PERCENT = 10_000


def manager(case, parts):
    """Rules with one flag that divides units."""
    split = {name: millionths / MILLIONTHS_PER_PERCENT for name, millionths in parts}
    flag = {"salt": case["salt"], "hash": case["hash"], "otherwise": {"split": split}}
    return FlagManager.from_dict({"version": 1, "flags": {"quick": flag}})


def evaluated():
    """Whether the evaluator asks the hash that the file names."""
    case = VECTORS["buckets"][0]
    decision = manager(case, [("rust", 500_000), ("python", 500_000)]).decide("quick", unit=case["unit"])
    return case["bucket"] == decision.bucket


pytestmark = pytest.mark.skipif(
    not evaluated(), reason="the evaluator hashes every flag with XXH3, whatever the file says"
)


@pytest.mark.parametrize(
    "case", VECTORS["buckets"], ids=lambda case: f"{case['hash']}-{case['draw']}-{case['unit'][:9]}"
)
def test_buckets_are_those_of_the_vectors(case):
    """One candidate written first is a percentage, the other order is the engine's variants."""
    parts = [("rust", 500_000), ("python", 500_000)]
    parts = parts if case["draw"] == "rollout" else parts[::-1]

    assert case["bucket"] == manager(case, parts).decide("quick", unit=case["unit"]).bucket


@pytest.mark.parametrize("case", VECTORS["splits"], ids=lambda case: f"{case['hash']}-{case['salt']}")
def test_splits_serve_what_the_vectors_say(case):
    """The published cases of each engine."""
    rules = manager(case, case["split"])

    assert case["serves"] == {unit: rules.decide("quick", unit=unit).serve for unit in case["serves"]}
