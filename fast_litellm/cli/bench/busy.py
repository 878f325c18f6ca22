"""
A Python program with acceleration installed, as if it were busy all the time: `python -m fast_litellm.cli.bench.busy
SCRIPT [WORD...]`.

What comparisons may use is filled by the program's own processor time. By the time on the wall, a program that is asked
in turns with others has its turns paid from its pauses.
"""

from __future__ import annotations

import functools
import runpy
import sys
import time
from unittest import mock

import fast_litellm
from fast_litellm.shadow import Budget


def run(script: str) -> None:
    """
    Install by the environment, and become a script's program.

    Args:
        script: Its path; it finds the words after it in `sys.argv`.
    """
    budget = functools.partial(Budget, clock=time.process_time_ns)
    with mock.patch("fast_litellm.accel.evidence.Budget", budget):
        fast_litellm.install()
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    del sys.argv[0]
    run(sys.argv[0])
