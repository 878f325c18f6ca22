"""How the tests of the command line run it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field

import platformdirs
import pytest
import structlog

from fast_litellm.accel.native import Shaper, Tally
from fast_litellm.cli import main
from fast_litellm.shadow import Epoch, Ledger, engine
from fast_litellm.shadow.observation import Comparison, Description, Summary

# Generous: a command that takes this long hangs.
DEADLINE_S = 60

SHAPE = Shaper("plain").shape(("word",), {})
RULES = """
version: 1
flags:
  routing:
    gate:
      divergence: {rate: 10%, alpha: 20%}
      cells: {rate: 20%, alpha: 40%}
      pairs: {rate: 20%, alpha: 40%}
      timeouts: {rate: 20%, alpha: 40%}
      latency: none
      bake: 1ms
    plan: {steps: [shadow, 5%, "on"]}
  pinned: {stage: shadow}
"""


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
    monkeypatch.setenv("FAST_LITELLM_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("NO_COLOR", "1")
    yield
    structlog.reset_defaults()


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

    def run(*words, stdin="", start=("-m", "fast_litellm"), patience_s=DEADLINE_S, **variables):
        done = subprocess.run(
            [sys.executable, *start, *map(str, words)],
            env={**os.environ, **variables},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=patience_s,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


@dataclass
class Evidence:
    """A ledger to be filled; `close` makes it a finished process's."""

    ledger: Ledger
    tallies: dict = field(default_factory=dict)

    def attach(self, feature, build="1", stage="shadow", plan=None):
        """Starts a feature, and returns its counters."""
        self.tallies[feature] = Tally()
        epoch = Epoch(feature, build, "reference", "exact/1", "revision")
        self.ledger.attach(epoch, self.tallies[feature], lambda: {"stage": stage, "plan": plan})
        return self.tallies[feature]

    def diverge(self, feature, build="1", action="none", fingerprint="5eed" * 8, confirmed=True):
        """Compares a call that differs: 13 tokens against 14."""
        self.tallies[feature].accept().compare("diverged")
        sides = {
            "control": Summary("value", "int", None, "a1", 13),
            "candidate": Summary("value", "int", None, "b2", 14),
        }
        description = Description("value", "$", "$", fingerprint, **sides)
        self.ledger.record(
            Comparison(feature, build, "exact/1", "diverged", description, confirmed_on_rerun=confirmed, action=action)
        )


@pytest.fixture
def evidence():
    """The ledger that commands of this test will read."""
    opened = Evidence(Ledger.open(os.environ["FAST_LITELLM_LEDGER"], flush_seconds=None))
    yield opened
    opened.ledger.close()


@pytest.fixture
def unnamed(monkeypatch, tmp_path):
    """Nobody has said where the ledger is: it is the user's own, which is returned."""
    monkeypatch.delenv("FAST_LITELLM_LEDGER")
    for name in ("HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    return platformdirs.user_state_path("fast-litellm") / "ledger.db"


@pytest.fixture
def plan(tmp_path, monkeypatch):
    """The commands use rules with a plan, whose gate opens soon."""
    path = tmp_path / "rollout.yaml"
    path.write_text(RULES)
    monkeypatch.setenv("FAST_LITELLM_CONFIG", str(path))


@pytest.fixture
def compared(evidence):
    """Has a feature's inputs compared, all alike."""

    def compare(feature, count, plan=None):
        tally = evidence.attach(feature, plan=plan)
        for number in range(count):
            digest = engine.current().digest(bytes(16), number)
            tally.accept(SHAPE).compare("matched", digest)
        assert evidence.ledger.flush()

    return compare
