"""Facts of a call as words of a command line: `team=research`, `age=41`, `beta=true`."""

from __future__ import annotations

import json
from typing import Any

import click


def attributes(words: tuple[str, ...]) -> dict[str, Any]:
    """
    Args:
        words: NAME=VALUE each; a value that reads as JSON (3, true, null, "3") is that value, any other is text.

    Returns:
        The values by name.

    Raises:
        BadParameter: A word has another form.
    """
    pairs = [word.partition("=") for word in words]
    for name, separator, _ in pairs:
        if not separator or not name:
            raise click.BadParameter(f"expected NAME=VALUE, got {name!r}", param_hint="--attr")
    return {name: _value(text) for name, _, text in pairs}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
