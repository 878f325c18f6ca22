"""The signals between a candidate and the rest, and one of the interpreter's."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fast_litellm.errors import Declined, is_of_exit


@pytest.mark.parametrize("reason", ["custom_tokenizer", "tools at stage 2", "x" * 64])
def test_a_short_word_is_kept(reason):
    """It is what is counted and shown."""
    assert (reason, reason) == (Declined(reason).reason, str(Declined(reason)))


class Text(str):
    """A text with a mind of its own."""


@pytest.mark.parametrize("reason", [7, None, b"x", "", "\ud800", "two\nlines", "x" * 65, "naïve", Text("x")])
def test_what_is_no_short_word_is_unspecified(reason):
    """It may be content, or something that native code cannot count."""
    assert ("unspecified", "unspecified") == (Declined(reason).reason, str(Declined(reason)))


def test_a_thread_that_cannot_start_at_exit_is_told_from_one_that_has_no_room():
    """By what this very interpreter says at exit, if threads do not start then as in Python 3.12.1."""
    program = """
import atexit, sys, threading
from fast_litellm.errors import is_of_exit

def late():
    try:
        threading.Thread(target=int).start()
    except RuntimeError as error:
        print("of exit" if is_of_exit(error) else error)
    else:
        print("started")

atexit.register(late)
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout.strip() in {"of exit", "started"}
    assert is_of_exit(RuntimeError("can't create new thread at interpreter shutdown"))
    assert not is_of_exit(RuntimeError("can't start new thread"))
