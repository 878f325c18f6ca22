"""YAML text to nodes: places, duplicates, and everything that is refused."""

from __future__ import annotations

import pytest

from fast_litellm.errors import RuleError
from fast_litellm.flags import rule_file


def _problems(data: bytes) -> list[str]:
    with pytest.raises(RuleError) as raised:
        rule_file.from_bytes(data, "r.yaml")
    return [str(problem).splitlines()[0] for problem in raised.value.problems]


def test_words_have_their_yaml_1_2_meaning(with_text):
    """on, off, yes, no and dates are text; quoted words are always text."""
    words = "[on, off, yes, no, 2027-01-02, '1', 1.5, 0o17, true]"
    flag = f"{{rules: [{{name: r, when: {{attr: x, in: {words}}}, serve: rust}}]}}"
    manager = with_text(flag)
    found = ["on", "off", "yes", "no", "2027-01-02", "1", 1.5, 15, True]

    assert ["rust"] * len(found) == [manager.serve("a", None, {"x": value}) for value in found]
    assert ["python"] * 4 == [manager.serve("a", None, {"x": value}) for value in (False, 1, "15", "true")]


def test_everything_knows_its_place():
    """Lines and columns count from one, in characters."""
    text = "version: 1\nflags:\n  a: {owner: ü, salt: 5}\n"

    assert ["r.yaml:3:23: flags.a.salt: expected a text that is not empty, got 5"] == _problems(text.encode())


def test_a_byte_order_mark_is_no_content(with_text):
    """Editors that write one do no harm, and columns do not count it."""
    assert ["r.yaml:1:10: version: expected 1, the only version there is, got 2"] == _problems(
        b"\xef\xbb\xbfversion: 2\nflags: {}"
    )


def test_a_key_twice_is_a_problem():
    """The second one is named, with the line of the first, however many keys there are."""
    many = "".join(f"  f{number}: {{}}\n" for number in range(20))

    assert ['r.yaml:3:1: expected each key once, got "version" again (first on line 1)'] == _problems(
        b"version: 1\nflags: {}\nversion: 1\n"
    )
    assert ['r.yaml:23:3: flags: expected each key once, got "f7" again (first on line 10)'] == _problems(
        f"version: 1\nflags:\n{many}  f7: {{}}\n".encode()
    )


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
def test_what_is_no_plain_yaml_is_a_problem(data, problem):
    """Each says what was expected, what came, and where."""
    assert problem in _problems(data)


@pytest.mark.parametrize(("flags", "got"), [("[a]", "a list"), ("5", "5"), ("x", 'the text "x"'), ("~", "nothing")])
def test_flags_that_are_no_mapping_are_a_problem(flags, got):
    """Also where nothing else is wrong: such a file would switch everything off."""
    found = _problems(f"version: 1\nflags: {flags}\n".encode())

    assert [f"r.yaml:2:8: flags: expected a mapping of names, got {got}"] == found


@pytest.mark.parametrize("data", [b"a: [", b"a: b: c", b"a:\n\t- b", b"}", b"a: 'b", b"%YAML 9"])
def test_broken_yaml_is_one_problem_with_a_place(data):
    """The parser's complaint comes with line and column."""
    (problem,) = _problems(data)

    assert "expected YAML, got broken YAML" == problem.split(": ")[1]
    assert "r.yaml:0" not in problem


def test_references_are_refused_so_that_no_text_can_grow():
    """Nine lines that stand for a billion values are read in no time, and every reference is named."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 9)]
    references = [problem for problem in _problems("\n".join(lines).encode()) if "reference" in problem]

    assert 9 + 80 == len(references)
    assert references[0].endswith("a0: expected a value, got the YAML reference & (an anchor)")


@pytest.mark.parametrize("opening", ["[", "{a: "])
def test_nesting_has_a_limit(opening):
    """A hundred levels are one problem, and a hundred thousand do not exhaust the stack."""
    (problem,) = _problems((opening * 100).encode())

    assert problem.endswith("expected at most 32 levels, got more")
    assert ["r.yaml:1"] == [problem[:8] for problem in _problems((opening * 100_000).encode())]
