"""A program that is measured as one that is busy all the time."""

from __future__ import annotations

import sys
import time

import pytest

import fast_litellm
from fast_litellm.accel import installation
from fast_litellm.cli.bench import busy

PROGRAM = """
import sys
from fast_litellm.accel import installation
installation._current.evidence._budget.spend(250_000_000)
print(sys.argv[1])
"""


@pytest.fixture
def uninstalled():
    """Whatever was installed is gone after the test."""
    yield
    fast_litellm.uninstall()


def test_its_budget_is_filled_by_its_own_processor_time(tmp_path, monkeypatch, capsys, uninstalled):
    """It is a program as any other, in whose pauses nothing is filled in."""
    script, now = tmp_path / "program.py", [0]
    script.write_text(PROGRAM)
    monkeypatch.setattr(sys, "argv", [str(script), "word"])
    monkeypatch.setattr(time, "process_time_ns", lambda: now[0])
    busy.run(str(script))
    budget = installation._current.evidence._budget
    before = budget.ease()
    now[0] = 5_000_000_000  # of which the ledger's thread has taken a little

    assert ("word\n", 0.0) == (capsys.readouterr().out, before)
    assert 0.5 < budget.ease() <= 1
