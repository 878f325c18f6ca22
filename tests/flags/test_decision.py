"""Which implementation serves a call, and why."""

from __future__ import annotations

import json
import math
from collections import OrderedDict
from datetime import timezone, tzinfo
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fast_litellm.flags import Decision, FlagManager, engine, rule_file

UTC = timezone.utc
VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "flags.json").read_text(encoding="utf-8"))
IDS = [f"unit-{number}" for number in range(200_000)]


def _split(percent: float) -> dict[str, object]:
    return {"otherwise": {"split": {"rust": percent, "python": round(100 - percent, 4)}}}


@pytest.mark.parametrize("case", VECTORS["cases"], ids=[case["says"] for case in VECTORS["cases"]])
def test_decisions_are_those_of_the_vectors(case):
    """Every decision in the shared file comes out the same through Python objects."""
    document = VECTORS["documents"][case["document"]]
    process = {**VECTORS["processes"][case["document"]], **case.get("with", {})}
    rules = rule_file.from_objects(document)
    cell = engine.current().SnapshotCell(rules, json.dumps(process), Decision)
    expected = Decision(flag=case["flag"], revision=rules.revision, **case["decision"])

    assert expected == cell.decide(case["flag"], case["unit"], case["attributes"])
    assert expected.serve == cell.serve(case["flag"], case["unit"], case["attributes"])
    assert expected.serve == cell.bind(case["flag"])(case["unit"], case["attributes"])
    assert expected.serve == cell.bind(case["flag"]).serve(case["unit"], case["attributes"])


# A rule file has neither empty salts nor empty units.
@pytest.mark.parametrize("vector", [vector for vector in VECTORS["buckets"] if vector["salt"]])
def test_buckets_are_those_of_the_vectors(vector):
    """Buckets equal those computed by another implementation of the hash."""
    manager = FlagManager.from_dict({"version": 1, "flags": {"f": {"salt": vector["salt"], **_split(50)}}})

    assert vector["bucket"] == manager.decide("f", unit=vector["unit"]).bucket


class _Hostile:
    """Raises whatever is asked of it."""

    def __eq__(self, other):
        raise RuntimeError

    def __hash__(self):
        return hash("team")

    def __str__(self):
        raise RuntimeError

    def __iter__(self):
        raise RuntimeError


class _HostileMapping(OrderedDict):
    def __getitem__(self, key):
        raise KeyboardInterrupt


class _HostileZone(tzinfo):
    def utcoffset(self, moment):
        raise RuntimeError


_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(codec=None)),
    st.binary(),
    st.complex_numbers(),
    st.builds(_Hostile),
    st.dates(),
    st.datetimes(timezones=st.sampled_from([None, UTC, _HostileZone()])),
    st.sampled_from(["v2.4", "10.0.0.1", "::ffff:10.0.0.1", "2027-01-05T09:00:00Z", "a"]),
)
_OBJECTS = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner), st.tuples(inner), st.dictionaries(st.sampled_from(["team", "x", "org", "tier"]), inner)
    ),
    max_leaves=20,
)
_EVERY_OPERATOR = [
    {"equals": "a"},
    {"in": ["a", 1, True, 0.5]},
    {"contains": "a"},
    {"starts_with": "a"},
    {"ends_with": "a"},
    {"matches": "a+"},
    {"gt": 1},
    {"lte": 0.5},
    {"exists": False},
    {"semver": ">=2.4.0, <3"},
    {"before": "2027-01-05T09:00:00Z"},
    {"after": "2027-01-05"},
    {"cidr": ["10.0.0.0/8", "::/0"]},
]
_EVERY_TEST = _EVERY_OPERATOR + [
    {f"not_{operator}": value} for test in _EVERY_OPERATOR for operator, value in test.items()
]
_ATTRIBUTES = ("team", "x", "org.tier")
_THOROUGH = FlagManager.from_dict(
    {
        "version": 1,
        "flags": {
            "f": {
                "rules": [
                    {
                        "name": f"rule {attribute} {number}",
                        "when": {"all": [{"attr": attribute, **test}, {"attr": "never", "exists": True}]},
                        "serve": "rust",
                    }
                    for attribute in _ATTRIBUTES
                    for number, test in enumerate(_EVERY_TEST)
                ],
                "layer": "shared",
                "requires": ["g"],
                **_split(50),
            },
            "g": {
                "unit": "x",
                "otherwise": {
                    "ramp": {"serve": "rust", "unit": "team", "steps": [{"at": "2020-01-01", "percent": 50}]}
                },
            },
        },
        "layers": {"shared": {"unit": "org.tier", "slots": {"f": "0%-50%"}}},
    }
)
_HANDLES = {flag: _THOROUGH.bind(flag) for flag in ("f", "g")}


@given(flag=st.one_of(st.sampled_from(["f", "g"]), _OBJECTS), unit=_OBJECTS, attributes=_OBJECTS)
@example(flag="f", unit="\ud800", attributes={"team": "\ud800"})
@example(flag="f", unit=b"unit", attributes=_Hostile())
@example(flag="f", unit=2**64, attributes={"team": 2**64, "x": math.nan})
@example(flag="f", unit="u", attributes=_HostileMapping(team=1))
@example(flag="f", unit="u", attributes={_Hostile(): 1})
@example(flag="\ud800", unit="u", attributes=MappingProxyType({"team": "a"}))
def test_deciding_never_raises(flag, unit, attributes):
    """Whatever is passed for flag, unit and attributes, there is a decision, and it is the same a second time."""
    first = _THOROUGH.decide(flag, unit=unit, attributes=attributes)

    assert isinstance(first, Decision)
    assert first[1:] == _THOROUGH.decide(flag, unit=unit, attributes=attributes)[1:]
    assert first.serve == _THOROUGH.serve(flag, unit, attributes)


@given(flag=st.sampled_from(["f", "g"]), unit=_OBJECTS, attributes=_OBJECTS)
@example(flag="f", unit="\ud800", attributes={"team": "\ud800"})
@example(flag="g", unit="u", attributes=_HostileMapping(x="u", team=1))
def test_a_handle_and_an_explanation_give_the_same_answer_and_never_raise(flag, unit, attributes):
    """Whatever is passed for unit and attributes, who serves is who `decide` says."""
    expected = _THOROUGH.decide(flag, unit=unit, attributes=attributes).serve

    assert expected == _HANDLES[flag](unit, attributes) == _HANDLES[flag].serve(unit, attributes)
    assert expected == _THOROUGH.explain(flag, unit=unit, attributes=attributes)["decision"]["serve"]


@pytest.mark.parametrize("unit", [None, "", b"user-1", 1.0, True, ["user-1"], "\udcff", frozenset()], ids=repr)
def test_what_is_no_unit_counts_as_missing(unit):
    """Only a non-empty Unicode text or a whole number is a unit; all else is python, with the reason saying so."""
    manager = FlagManager.from_dict({"version": 1, "flags": {"f": _split(99.9999)}})
    decision = manager.decide("f", unit=unit)

    assert ("python", "DEFAULT", "missing_unit") == (decision.serve, decision.reason, decision.detail)


@pytest.mark.parametrize("number", [0, 42, -7, 2**63, 2**200])
def test_a_whole_number_is_its_decimal_text(number):
    """An id means the same whether it comes as a number or as its digits, as unit or as attribute."""
    manager = FlagManager.from_dict(
        {"version": 1, "flags": {"f": _split(50), "g": {"unit": "id", "salt": "f", **_split(50)}}}
    )
    expected = manager.decide("f", unit=str(number)).bucket

    assert expected == manager.decide("f", unit=number).bucket
    assert expected == manager.decide("g", attributes={"id": number}).bucket


def test_a_number_too_long_for_python_is_no_unit():
    """Python refuses to write more than 4,300 digits; such a number counts as missing, as unit and as attribute."""
    rule = {"name": "r", "when": {"attr": "id", "gt": 5}, "serve": "rust"}
    manager = FlagManager.from_dict({"version": 1, "flags": {"f": {"rules": [rule], **_split(50)}}})

    assert "missing_unit" == manager.decide("f", unit=10**5000, attributes={"id": 10**5000}).detail


def test_mappings_of_every_kind_are_attributes():
    """A read-only view and a subclass of dict are looked into like a dict."""
    rule = {"name": "r", "when": {"attr": "org.tier", "equals": "pro"}, "serve": "rust"}
    manager = FlagManager.from_dict({"version": 1, "flags": {"f": {"rules": [rule]}}})

    for attributes in (MappingProxyType({"org": {"tier": "pro"}}), OrderedDict(org=MappingProxyType({"tier": "pro"}))):
        assert "rust" == manager.decide("f", attributes=attributes).serve


@pytest.mark.parametrize("values", [["a"], ("a",), {"a"}, frozenset({"a"})], ids=lambda values: type(values).__name__)
def test_contains_looks_into_lists_tuples_and_sets(values):
    """The four collections Python is written with are searched for an equal element."""
    rule = {"name": "r", "when": {"attr": "teams", "contains": "a"}, "serve": "rust"}
    manager = FlagManager.from_dict({"version": 1, "flags": {"f": {"rules": [rule]}}})

    assert "rust" == manager.decide("f", attributes={"teams": values}).serve


@pytest.mark.parametrize("percent", [0.0001, 0.005, 0.1, 1, 10, 33.3333, 50, 90, 99.9999])
def test_a_percentage_is_honoured(percent):
    """Over 200,000 ids the share lies within four standard deviations of what was asked for."""
    serve = FlagManager.from_dict({"version": 1, "flags": {"f": _split(percent)}}).bind("f").serve
    served = sum(serve(unit) == "rust" for unit in IDS)
    share = percent / 100

    assert 4 * math.sqrt(len(IDS) * share * (1 - share)) >= abs(served - share * len(IDS))


def test_two_flags_pick_independent_units():
    """Two flags at 10 percent overlap in 1 percent of the ids, within four standard deviations."""
    manager = FlagManager.from_dict({"version": 1, "flags": {"f": _split(10), "g": _split(10)}})
    first, second = manager.bind("f").serve, manager.bind("g").serve
    both = sum(first(unit) == second(unit) == "rust" for unit in IDS)

    assert 4 * math.sqrt(len(IDS) * 0.01 * 0.99) >= abs(both - 0.01 * len(IDS))


@given(lower=st.integers(0, 1_000_000), higher=st.integers(0, 1_000_000), unit=st.text(min_size=1))
def test_a_growing_percentage_only_adds_units(lower, higher, unit):
    """A unit the candidate serves is still served by it at every greater percentage."""
    lower, higher = sorted((lower, higher))
    flags = {"low": _split(lower / 10_000), "high": _split(higher / 10_000)}
    manager = FlagManager.from_dict(
        {"version": 1, "flags": {name: {"salt": "s", **flag} for name, flag in flags.items()}}
    )

    if manager.serve("low", unit) == "rust":
        assert "rust" == manager.serve("high", unit)
