"""YAML text to nodes: places, duplicates, and everything that is refused."""

from __future__ import annotations

import sys

import pytest
import yaml

from fast_litellm.flags import yaml_text
from fast_litellm.flags.nodes import Findings


@pytest.fixture(params=["libyaml", "pure"], autouse=True)
def parser(request, monkeypatch):
    """Every test here runs with both of PyYAML's parsers."""
    if request.param == "libyaml" and not hasattr(yaml, "CSafeLoader"):
        pytest.skip("this PyYAML has no libyaml")
    monkeypatch.setattr(yaml_text, "_Loader", yaml.CSafeLoader if request.param == "libyaml" else yaml.SafeLoader)


def _read(data: bytes) -> tuple[object, list[str]]:
    findings = Findings("r.yaml")
    return yaml_text.read(data, findings), [str(problem).splitlines()[0] for problem in findings.sorted()]


def _plain(node):
    if isinstance(node.value, dict):
        return {key: _plain(entry.value) for key, entry in node.value.items()}
    return [_plain(item) for item in node.value] if isinstance(node.value, list) else node.value


def test_words_have_their_yaml_1_2_meaning():
    """on, off, yes, no and dates are text, as keys too; quoted words are always text."""
    root, problems = _read(b"{on: off, yes: no, y: 2027-01-02, a: 1, b: '1', c: true, d: 1.5, e: , f: [~, 0o17]}")

    assert [] == problems
    assert {
        "on": "off",
        "yes": "no",
        "y": "2027-01-02",
        "a": 1,
        "b": "1",
        "c": True,
        "d": 1.5,
        "e": None,
        "f": [None, 15],
    } == _plain(root)


def test_everything_knows_its_place():
    """Lines and columns count from one, in characters."""
    root, _ = _read("é:\n  - {ü: 5}\n".encode())
    item = root.value["é"].value.value[0]

    assert ("é[0].ü", 2, 9) == (item.value["ü"].value.path, item.value["ü"].value.line, item.value["ü"].value.column)


def test_a_key_twice_is_a_problem():
    """The second one is named, with the line of the first."""
    assert ['r.yaml:2:1: expected each key once, got "a" again (first on line 1)'] == _read(b"a: 1\na: 2\n")[1]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "r.yaml:1:1: expected a mapping with version and flags, got an empty file"),
        (b"# nothing\n", "r.yaml:1:1: expected a mapping with version and flags, got an empty file"),
        (b"a: 1\n--- b\n", "r.yaml:2:1: expected one YAML document, got a second one"),
        (b"a: b\nc: \xff", "r.yaml:2:4: expected UTF-8 text, got the byte 0xff"),
        ("a: b".encode("utf-16"), "r.yaml:1:1: expected UTF-8 text, got the byte 0xff"),
        (b"a: b\n\x00", "r.yaml:2:1: expected text, got the control character U+0000"),
        (b"\x7fELF\x02", "r.yaml:1:1: expected text, got the control character U+007F"),
        (b"{5: a}", "r.yaml:1:2: expected a name as key, got 5"),
        (b"{[a]: b}", "r.yaml:1:2: expected a name as key, got a list"),
        (b"a: !!str b", "r.yaml:1:4: a: expected a plain value, got the YAML tag tag:yaml.org,2002:str"),
    ],
)
def test_what_is_no_plain_yaml_is_one_problem(data, problem):
    """Each says what was expected, what came, and where."""
    assert [problem] == _read(data)[1]


@pytest.mark.parametrize("data", [b"a: [", b"a: b: c", b"a:\n\t- b", b"}", b"a: 'b", b"%YAML 9"])
def test_broken_yaml_is_one_problem_with_a_place(data):
    """The parser's complaint comes with line and column."""
    root, problems = _read(data)

    assert None is root
    assert ["expected YAML, got broken YAML"] == [problem.split(": ")[1] for problem in problems]
    assert "r.yaml:0" not in problems[0]


def test_references_are_refused_so_that_no_text_can_grow():
    """Nine lines that stand for a billion values are read in no time, and every reference is named."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 9)]
    _, problems = _read("\n".join(lines).encode())

    assert 9 + 80 == len(problems)
    assert "r.yaml:1:5: a0: expected a value, got the YAML reference &a0" == problems[0]


@pytest.mark.parametrize("opening", ["[", "{a: "])
def test_nesting_has_a_limit(opening):
    """A hundred thousand levels are one problem, not an exhausted stack."""
    limit = sys.getrecursionlimit()
    _, problems = _read((opening * 100_000).encode())

    assert 1 == len(problems)
    assert problems[0].endswith("expected at most 32 levels, got more")
    assert limit == sys.getrecursionlimit()
