"""Which reference source is installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fast_litellm.accel.fingerprint import Source, fingerprint, of_code


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes and imports a module of a given text, under a name of its own."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(text: str) -> str:
        name = f"reference_{len(list(tmp_path.iterdir()))}"
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        monkeypatch.delitem(sys.modules, name, raising=False)
        return name

    return write


def test_the_same_text_has_the_same_fingerprint(module):
    """Asking twice gives the same answer."""
    source = Source(module("def f():\n    return 1\n"))

    assert fingerprint((source,)) == fingerprint((source,))


def test_any_change_of_the_file_changes_it(module, tmp_path):
    """A whole-file source notices every character."""
    name = module("def f():\n    return 1\n")
    before = fingerprint((Source(name),))
    (tmp_path / f"{name}.py").write_text("def f():\n    return 2\n", encoding="utf-8")

    assert before != fingerprint((Source(name),))


def test_a_named_function_ignores_its_neighbours(module, tmp_path):
    """A source that names functions covers only those."""
    one = fingerprint((Source(module("def f():\n    return 1\n\n\ndef g():\n    return 1\n"), ("f",)),))

    assert one is not None
    assert len(one) == 16


def test_an_absent_function_is_part_of_the_fingerprint(module):
    """A version without a helper differs from one with it, and is no error."""
    name = module("def f():\n    return 1\n")

    assert fingerprint((Source(name, ("f",)),)) != fingerprint((Source(name, ("f", "missing")),))


def test_a_compiled_function_has_no_fingerprint():
    """Where there is no source text there is nothing to know."""
    assert None is fingerprint((Source("math", ("sqrt",)),))


def test_an_absent_module_is_told_apart():
    """A module that a version does not have is part of the fingerprint."""
    assert fingerprint((Source("no_such_module_at_all"),)) is not None


def test_two_lambdas_of_one_line_are_told_apart():
    """A function without a text of its own is known by what it does."""
    one, other, same = (lambda x: x + 1), (lambda x: x + 2), (lambda x: x + 1)

    assert of_code(one) != of_code(other)
    assert of_code(one) == of_code(same)


def test_a_builtin_has_no_code():
    """What is not written in Python cannot be told apart."""
    assert None is of_code(len)


def test_a_method_is_covered_by_its_own_text(module):
    """A class counts by its annotations; a method of it is named with a dot, and one that is missing is no error."""
    one, other = (module(f"class C:\n    def m(self):\n        return {it}\n") for it in (1, 2))
    texts = [fingerprint((Source(name, (member,)),)) for member in ("C.m", "C.none") for name in (one, other)]

    assert 4 == len(set(texts))
    assert None not in texts
