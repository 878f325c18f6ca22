"""The picture as Prometheus reads it, read by Prometheus' own parser."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some
from prometheus_client.parser import text_string_to_metric_families

from fast_litellm.shadow.dashboard.metrics import document, exposition
from fast_litellm.shadow.dashboard.model import FeaturePicture, Picture

GRAFANA = Path(__file__).parents[3] / "config" / "grafana"


def samples(text):
    """Every sample as (name, labels) to value; a name twice is an error."""
    found = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    values = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in found}
    assert len(values) == len(found)
    return values


def test_every_figure_is_read_back(picture):
    """Counters, gauges and their labels arrive as they were."""
    found = samples(exposition(picture))
    feature = {("feature", "token_counting")}

    assert 571_390 == found["shadow_calls_total", frozenset({*feature, ("outcome", "match")})]
    assert 28_216 == found["shadow_served_total", frozenset({*feature, ("impl", "rust")})]
    assert 560 == found["shadow_shed_total", frozenset({*feature, ("reason", "budget")})]
    assert 1 == found["shadow_stage", frozenset({*feature, ("stage", "canary")})]
    assert 8.1e-6 == found["shadow_rate_upper_bound", frozenset(feature)]
    assert 11_400 == found["shadow_gate_seconds_left", frozenset(feature)]
    assert 1 == found["shadow_ledger_lag_seconds", frozenset()]
    assert 1 == found["shadow_ledger_up", frozenset()]


def test_types_and_help_come_with_every_metric(picture):
    """A counter's name ends in _total, a gauge's does not."""
    families = list(text_string_to_metric_families(exposition(picture)))

    assert len(families) == len(document(picture)) > 12
    assert all(family.documentation for family in families)
    assert all(name.endswith("_total") == (found["type"] == "counter") for name, found in document(picture).items())


@given(some.text())
def test_any_name_is_read_back(name):
    """Quotes, backslashes, line ends and whatever else a feature may be called."""
    text = exposition(Picture(0, "ledger.db", (FeaturePicture(name, "shadow"),)))

    assert 1 == samples(text)["shadow_stage", frozenset({("feature", name), ("stage", "shadow")})]


def test_the_number_of_series_depends_on_features_alone(picture):
    """Neither a class nor a cell makes a series."""
    many = tuple(replace(one, classes=one.classes * 50) for one in picture.features)

    assert set(samples(exposition(picture))) == set(samples(exposition(replace(picture, features=many))))


def test_a_ledger_that_cannot_be_read_is_down():
    """Whoever alerts on it can tell silence from health."""
    assert {("shadow_ledger_up", frozenset()): 0} == samples(exposition(Picture(0, "l", problem="locked")))


@pytest.mark.parametrize("path", sorted(GRAFANA.glob("*.json")), ids=lambda path: path.name)
def test_grafana_asks_for_metrics_that_exist(picture, path):
    """Every metric and every label that a panel names is printed."""
    found = samples(exposition(picture))
    names = set(document(picture))
    labels = {label for _, pairs in found for label, _ in pairs}
    dashboard = json.loads(path.read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    asked += [one["expr"] for one in dashboard["annotations"]["list"]]
    asked += [one["query"] for one in dashboard["templating"]["list"]]
    asked_names = {name for text in asked for name in re.findall(r"\bshadow_\w+", text)}
    asked_labels = {label for text in asked for label in re.findall(r"(\w+)(?:=~?|!=)\"", text)}

    assert len(asked_names) > 8
    assert asked_names <= names
    assert asked_labels <= labels


def test_the_documentation_lists_every_metric(picture):
    """No more and no less than what is printed."""
    page = (Path(__file__).parents[3] / "docs" / "dashboard.md").read_text(encoding="utf-8")

    assert set(document(picture)) == set(re.findall(r"`(shadow_\w+)`", page))
