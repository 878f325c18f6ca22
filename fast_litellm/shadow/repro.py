"""
A divergence as a file for pytest.
"""

from __future__ import annotations

import keyword
import pprint
import re
from typing import Any, Mapping, Sequence

from fast_litellm.shadow import literal
from fast_litellm.shadow.candidate import Call
from fast_litellm.shadow.replay import is_isolated

_WIDTH = 110
_DIGITS = 8

_FILE = '''"""
{feature}: {kind} at {pattern}, {types}. Divergence class {fingerprint}.

The call is made up from the shape of a sample and made small: it holds nothing of the call that was seen. The test
fails while the candidate differs from the control, and passes once it does not.
"""

{imports}

ARGS = {args}
KWARGS = {kwargs}
BUILD = "{build}"  # where there are several candidates, this one, or what is installed of it


def test_{name}_does_what_its_control_does():
    """Both sides agree on a call on which they did not."""
    assert replaying.difference({feature!r}, ARGS, KWARGS, build=BUILD{more}) is None
'''


def name(record: Mapping[str, Any]) -> str:
    """
    Args:
        record: A divergence class.

    Returns:
        What its file is called.
    """
    return f"test_{_word(record['feature'])}_{record['fingerprint'][:_DIGITS]}.py"


def write(record: Mapping[str, Any], call: Call, modules: Sequence[str] = ()) -> str:
    """
    Args:
        record: A divergence class.
        call: A made-up call on which the sides differ.
        modules: What is imported first, because it declares the pair.

    Returns:
        The text of a file that pytest runs.

    Raises:
        ValueError: The call cannot be written down.
    """
    imports = ["from fast_litellm.accel import replaying", *(f"import {it}  # declares the pair" for it in modules)]
    return _FILE.format(
        feature=record["feature"],
        name=_word(record["feature"]),
        kind=record["kind"],
        pattern=record["pattern"],
        types=f"{record['control_type'] or 'nothing'} -> {record['candidate_type'] or 'nothing'}",
        fingerprint=record["fingerprint"],
        build=_in_one_line(record["candidate_build"]),
        more=", is_isolated=True" if is_isolated(record) else "",
        imports="\n".join(imports),
        args=_formatted(call[0]),
        kwargs=_formatted(call[1]),
    )


def _word(feature: str) -> str:
    """A feature's name as part of another name: pairs may be called anything."""
    word = re.sub(r"\W", "_", feature, flags=re.ASCII)
    return f"{word}_" if keyword.iskeyword(word) else word


def _in_one_line(text: str) -> str:
    return ascii(text)[1:-1].replace('"', "'")


def _formatted(value: Any) -> str:
    literal.write(value)
    return pprint.pformat(value, width=_WIDTH, sort_dicts=False)
