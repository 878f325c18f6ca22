"""The JSON schema of rule files."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fast_litellm.errors import RuleError
from fast_litellm.flags import engine, rule_file

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads(engine.current().json_schema())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
VECTORS = json.loads((ROOT / "tests" / "vectors" / "flags.json").read_text(encoding="utf-8"))


def test_the_committed_schema_is_the_generated_one():
    """Editors see what the reader accepts."""
    path = ROOT / "config" / "rollout.schema.json"
    fix = "it is stale; run: fast-litellm schema --output config/rollout.schema.json"

    assert engine.current().json_schema() + "\n" == path.read_text(encoding="utf-8"), fix


def test_the_schema_is_a_schema():
    """Of the draft it names."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", VECTORS["documents"])
def test_rules_that_are_read_satisfy_the_schema(name):
    """Those of the shared vectors, with every key there is."""
    VALIDATOR.validate(VECTORS["documents"][name])


def test_the_shipped_example_satisfies_the_schema():
    """Read as YAML 1.2 reads it: nothing in it means something else in YAML 1.1 but dates, which stay text."""
    loader = type(
        "Loader", (yaml.SafeLoader,), {"yaml_implicit_resolvers": dict(yaml.SafeLoader.yaml_implicit_resolvers)}
    )
    for first, resolvers in loader.yaml_implicit_resolvers.items():
        loader.yaml_implicit_resolvers[first] = [(tag, _) for tag, _ in resolvers if not tag.endswith("timestamp")]
    text = (ROOT / "config" / "rollout.yaml").read_text(encoding="utf-8")

    VALIDATOR.validate(yaml.load(text, loader))


def _reads(rules):
    try:
        rule_file.from_objects(rules)
    except RuleError:
        return False
    return True


WORDS = st.one_of(
    st.sampled_from(["rust", "a", "10%", "60s", "2027-01-01", "host", "on", "x.y", ""]),
    st.integers(-1, 101),
    st.booleans(),
    st.none(),
    st.floats(allow_nan=False, allow_infinity=False),
)
KEYS = sorted(
    {key for table in (SCHEMA["properties"]["flags"]["additionalProperties"],) for key in table["properties"]}
)
FLAGS = st.dictionaries(
    st.sampled_from([*KEYS, "serve", "unknown"]), st.one_of(WORDS, st.lists(WORDS, max_size=2)), max_size=3
)


@given(FLAGS)
def test_what_the_schema_refuses_is_not_read(flag):
    """An editor never complains about rules that would be accepted."""
    rules = {"version": 1, "flags": {"f": flag}}

    assert VALIDATOR.is_valid(rules) or not _reads(rules)
