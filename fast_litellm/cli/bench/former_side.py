"""
One fast-litellm in an environment of its own, ours or the project that had the name before: `PYTHON former_side.py
[RULES]`, with the rule file that ours is installed with. It is run as a file, because both packages have one name.

Requests are lines of JSON on standard input, `["count", ARGUMENTS]` or `["batch", ARGUMENTS, COUNT]`; answers are lines
of JSON on standard output. The first says what importing and applying took beside LiteLLM, in nanoseconds.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any


def _apply(rules: list[str]) -> int:
    import litellm  # noqa: F401 - what follows is measured beside it

    started = time.process_time_ns()
    import fast_litellm

    if rules:
        fast_litellm.install(rules[0])
    return time.process_time_ns() - started


def _answer(what: str, arguments: dict[str, Any], count: int = 1) -> float:
    import litellm

    call = litellm.token_counter
    if what == "count":
        return float(call(**arguments))
    started = time.thread_time_ns()
    for _ in range(count):
        call(**arguments)
    return (time.thread_time_ns() - started) / count


def _say(value: float) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.path.pop(0)  # this directory: its files are no modules here
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    _say(_apply(sys.argv[1:]))
    for line in sys.stdin:
        _say(_answer(*json.loads(line)))
