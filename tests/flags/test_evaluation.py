"""What may be told of a decision."""

from __future__ import annotations

from fast_litellm.flags import FlagManager
from fast_litellm.flags import evaluation as evaluations


def test_a_decision_is_told_by_names_and_codes():
    """Who serves, why, by which rules."""
    manager = FlagManager.from_dict({"version": 1, "flags": {"parser": {"otherwise": "rust"}}})
    decision = manager.decide("parser", unit="u-1")

    assert ("parser", "rust", "STATIC", decision.revision, "", "fast-litellm") == evaluations.of(decision)


def test_an_undeclared_flag_is_told_as_an_error():
    """Its detail is OpenFeature's error code."""
    manager = FlagManager.from_dict({"version": 1, "flags": {}})

    assert "FLAG_NOT_FOUND" == evaluations.of(manager.decide("parser")).error_code
