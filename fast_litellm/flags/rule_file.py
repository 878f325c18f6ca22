"""
A whole rule file: text or objects in, checked rules or every problem out.

    version: 1
    defaults: {unit: call_id}       the attribute that is hashed when the caller names no unit
    segments: {NAME: CONDITION}     conditions that rules can name
    layers: {NAME: LAYER}           spaces of buckets that flags share without overlapping
    flags: {NAME: FLAG}             see config/rollout.yaml for every key

The reader itself is native (`rust/core/src/rules`), because a thousand flags are read while a process serves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, List, Mapping, Optional, Tuple

from fast_litellm.errors import Problem, RuleError
from fast_litellm.flags import engine

if TYPE_CHECKING:
    from fast_litellm.flags.engine import Rules


def from_bytes(data: bytes, file: str) -> Rules:
    """
    Check the text of a rule file.

    Args:
        data: The file's content.
        file: How the file is named in problems.

    Returns:
        The rules; their revision is the first 12 hexadecimal characters of the SHA-256 of the content.

    Raises:
        RuleError: Something is wrong; every problem is listed, in the order of the file.
    """
    return _checked(*engine.current().read_rule_text(data), file)


def from_objects(rules: Mapping[str, Any], file: str = "<dict>") -> Rules:
    """
    Check rules from memory, by the same standard as a file.

    Args:
        rules: What a rule file holds, in plain Python objects; dates and times may be objects of `datetime`.
        file: How the rules are named in problems.

    Returns:
        The rules; their revision depends on their content alone.

    Raises:
        RuleError: Something is wrong; every problem is listed.
    """
    return _checked(*engine.current().read_rule_objects(rules), file)


def _checked(rules: Optional[Rules], problems: List[Tuple[int, int, str, str]], file: str) -> Rules:
    if rules is None:
        raise RuleError(tuple(Problem(file, *problem) for problem in problems))
    return rules
