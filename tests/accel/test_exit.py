"""
What a program that ends still does: in Python 3.12.1, functions that run at exit can start no thread.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytest.importorskip("litellm")

DEADLINE_S = 120
# What is registered first runs last: the account is read when everything has been closed.
BEGINNING = """
import atexit, json, sys, threading
import litellm, fast_litellm
from fast_litellm.shadow import machinery

NAMES = ("offered", "sampled_out", "compared", "shed", "in_flight")

def account():
    feature = fast_litellm.status()["features"]["token_counting"]
    print(json.dumps([{name: feature[name] for name in NAMES}, machinery.failures()]))

def call():
    assert 1 == litellm.token_counter(model="gpt-4o", text="hello")

atexit.register(account)
"""


@pytest.fixture
def play(tmp_path):
    """Runs a program to its end; returns its account, and what its machinery counted as failed."""
    rules = tmp_path / "rollout.yaml"
    flag = {"stage": "shadow", "shadow": {"percent": 100, "budget": "100%"}}
    rules.write_text(json.dumps({"version": 1, "flags": {"token_counting": flag}}), encoding="utf-8")

    def run(program):
        command = [sys.executable, "-c", BEGINNING + program, str(rules)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=DEADLINE_S)
        assert (0, "") == (done.returncode, done.stderr)
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize(
    "program",
    [
        pytest.param("fast_litellm.install(sys.argv[1])\ncall()", id="its last act"),
        pytest.param("fast_litellm.install(sys.argv[1])\natexit.register(call)", id="at exit"),
        pytest.param("fast_litellm.install(sys.argv[1])\ncall()\natexit.register(call)", id="its last act and at exit"),
    ],
)
def test_every_call_of_an_ending_program_is_answered_and_accounted_for(play, program):
    """It is compared, or shed because the process ends; neither is a failure, and nobody is told of one."""
    account, failures = play(program)
    assert (program.count("call"), 0, {}) == (account["offered"], account["in_flight"], failures)
    assert account["offered"] == account["sampled_out"] + account["compared"] + sum(account["shed"].values())
    assert set(account["shed"]) <= {"shutdown", "budget"}


def test_installing_at_exit_is_no_error(play):
    """Though nothing may be followed any more. Functions that are only now told to run at exit may not be run."""
    account, failures = play("atexit.register(lambda: (fast_litellm.install(sys.argv[1]), call()))")
    done = account["compared"] + sum(account["shed"].values())
    assert (1, 1, {}) == (account["offered"], done + account["in_flight"], failures)
