"""What the tests of flags share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Callable

import pytest

from fast_litellm.errors import RuleError
from fast_litellm.flags import FlagManager, rule_file

if TYPE_CHECKING:
    from pathlib import Path

TENTH = "version: 1\nflags: {parser: {otherwise: {split: {rust: 10, python: 90}}}}\n"
HALF = "version: 1\nflags: {parser: {otherwise: {split: {rust: 50, python: 50}}}}\n"
ON = "version: 1\nflags: {parser: {otherwise: rust}}\n"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A rule file that serves a tenth."""
    path = tmp_path / "rollout.yaml"
    path.write_text(TENTH)
    return path


@pytest.fixture
def with_flag() -> Callable[..., FlagManager]:
    """Makes a manager with one flag named parser."""

    def make(flag: dict[str, Any], *, segments: dict[str, Any] | None = None, **options: Any) -> FlagManager:
        return FlagManager.from_dict({"version": 1, "segments": segments or {}, "flags": {"parser": flag}}, **options)

    return make


@pytest.fixture
def problems() -> Callable[[str], list[str]]:
    """Lists what is wrong with a rule file's text, each problem in one line without its hint."""

    def read(text: str) -> list[str]:
        try:
            rule_file.from_bytes(text.encode(), "r.yaml")
        except RuleError as error:
            return [str(problem).splitlines()[0] for problem in error.problems]
        return []

    return read


@pytest.fixture
def problem_texts() -> Callable[[str], list[str]]:
    """Lists what is wrong with a rule file's text, each problem whole."""

    def read(text: str) -> list[str]:
        with pytest.raises(RuleError) as raised:
            rule_file.from_bytes(text.encode(), "r.yaml")
        return [str(problem) for problem in raised.value.problems]

    return read


@pytest.fixture
def with_text(tmp_path: Path) -> Callable[[str], FlagManager]:
    """Makes a manager of a file with the flag `a`, whose body is given as YAML."""

    def make(flag: str, rest: str = "") -> FlagManager:
        path = tmp_path / "written.yaml"
        path.write_text(f"version: 1\nflags: {{a: {flag}}}\n{rest}", encoding="utf-8")
        return FlagManager.from_file(path)

    return make


@pytest.fixture
def flag_problems(problems: Callable[[str], list[str]]) -> Callable[[str], list[str]]:
    """Lists what is wrong with the flag `a` whose body is given in one line; every problem lies on line 2."""

    def read(body: str) -> list[str]:
        return [problem.split(" ", 1)[1] for problem in problems(f"version: 1\nflags: {{a: {body}}}")]

    return read


@pytest.fixture
def replace() -> Callable[[Path, str], None]:
    """Puts a file in place by renaming, as careful writers do."""

    def put(path: Path, text: str) -> None:
        fresh = path.with_name("fresh")
        fresh.write_text(text)
        os.replace(fresh, path)  # noqa: PTH105 - this very call is the behaviour

    return put
