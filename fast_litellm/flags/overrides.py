"""
What the environment demands of single flags, whatever the rules say: python | rust | shadow | N%.
"""

from __future__ import annotations

import re
from typing import Any, Dict, Mapping, Tuple

from fast_litellm.errors import Problem
from fast_litellm.flags import engine

WORDS = ("python", "rust", "shadow")

_NAME = re.compile(r"[a-z_][a-z0-9_]*\Z")

PREFIX = "FAST_LITELLM_FLAG_"
"""How the variables are named in problems; the environment itself is read elsewhere."""


def read(overrides: Mapping[str, str]) -> Tuple[Dict[str, Any], Tuple[Problem, ...]]:
    """
    Check overrides.

    Args:
        overrides: Flag name to word.

    Returns:
        Flag name to the engine's form of the word, and every problem.
    """
    forced: Dict[str, Any] = {}
    problems = []
    for name, word in overrides.items():
        forced[name], hint = _forced(word.strip())
        if forced[name] is None:
            problems.append(
                _problem(name, f'expected python, rust, shadow or a percentage such as 10%, got "{word}"', hint)
            )
        if not _NAME.match(name):
            problems.append(
                _problem(
                    name,
                    f"expected letters, digits and _ after {PREFIX}, not beginning with a digit",
                    "rename or unset the variable",
                )
            )
    return forced, tuple(problems)


def _forced(word: str) -> Tuple[Any, str]:
    """Returns the engine's form of a word, or None and a hint."""
    if word in WORDS:
        return word, ""
    value, hint = engine.current().parse_percentage(word)
    if value is None:
        return None, hint or engine.current().nearest(word, WORDS)
    return ({"percent": value}, "") if word.endswith("%") else (None, f"write {word}%")


def _problem(name: str, message: str, hint: str) -> Problem:
    return Problem("environment", 0, 0, f"{PREFIX}{name.upper()}: {message}", hint)
