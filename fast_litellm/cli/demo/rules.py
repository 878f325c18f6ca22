"""The rule files of the demo's acts."""

from __future__ import annotations

_HEAD = """\
version: 1
flags:
  token_counting:
    owner: demo
"""

_BODIES = {
    "off": "    stage: off\n",
    "shadow": "    stage: shadow\n    shadow: {percent: 100, budget: 100%}\n",
    "canary": "    stage: canary\n    otherwise: {split: {rust: 10, python: 90}}\n",
    "on": "    stage: on\n",
}


def at(stage: str) -> str:
    """
    Args:
        stage: off, shadow, canary or on.

    Returns:
        The text of a rule file that has token counting at this stage.
    """
    return _HEAD + _BODIES[stage]
