"""Asking a process over its pipes."""

from __future__ import annotations

import sys
from contextlib import closing

import pytest

from fast_litellm.cli.bench.child import Child

ECHO = """
import json, sys
print("Welcome!")
print(json.dumps("ready"), flush=True)
for line in sys.stdin:
    what, *rest = json.loads(line)
    if what == "end":
        sys.exit(3)
    print("thinking ...")
    print(json.dumps(rest), flush=True)
"""


def child():
    return closing(Child([sys.executable, "-c", ECHO], lambda line: line[0] in '["'))


def test_lines_that_are_no_answers_are_passed_over():
    """Whatever else a program prints, each request gets its own answer."""
    with child() as asked:
        assert "ready" == asked.told()
        assert [1, "two"] == asked.ask("echo", 1, "two")
        assert [] == asked.ask("echo")


def test_one_that_has_ended_is_named_with_its_status():
    """Instead of waiting for an answer that nobody gives."""
    with child() as asked:
        asked.told()
        with pytest.raises(RuntimeError, match="has ended with status 3 before it was told to"):
            asked.ask("end")


def test_it_ends_when_it_is_closed():
    """Its input ends, and nothing has to be killed."""
    with child() as asked:
        asked.told()

    assert 0 == asked._process.returncode
