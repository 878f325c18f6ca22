"""How the tests of the command line run it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass

import pytest

from fast_litellm.cli import main

# Generous: a command that takes this long hangs.
DEADLINE_S = 60


@dataclass(frozen=True)
class Outcome:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    """Every test has an environment without the developer's own settings, and a ledger of its own."""
    for name in list(os.environ):
        if name.startswith(("FAST_LITELLM_", "LITELLM_RUST")) or name in {"PYTHONPATH", "FORCE_COLOR", "COLUMNS"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("FAST_LITELLM_LEDGER", f"sqlite:///{tmp_path / 'ledger.db'}")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture
def cli(capsys):
    """Runs a command in this process."""

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            main(words)
        said = capsys.readouterr()
        return Outcome(ended.value.code, said.out, said.err)

    return run


@pytest.fixture
def process():
    """Runs a command in a process of its own, as a shell does."""

    def run(*words, stdin="", **variables):
        done = subprocess.run(
            [sys.executable, "-m", "fast_litellm", *map(str, words)],
            env={**os.environ, **variables},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE_S,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run
