"""A word in every field of LiteLLM's calls is in no byte that this package writes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

from fast_litellm.shadow import Ledger

CANARY = "kanarienvogel"
DEADLINE_S = 60

# The process is killed while its ring, its write-ahead log and its counters are full of what it has seen.
PROGRAM = """
import logging, os, sys, time
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
import fast_litellm
from fast_litellm.cli.demo.mistake import OffByOne

canary = sys.argv[1]
fast_litellm.install(candidates={"token_counting": OffByOne})
import litellm
from litellm.litellm_core_utils import token_counter

logging.getLogger("LiteLLM").setLevel(logging.ERROR)
tool = {"type": "function", "function": {
    "name": canary, "description": canary,
    "parameters": {"type": "object", "properties": {canary: {"type": "string", "enum": [canary]}}},
}}
messages = [
    {"role": "system", "content": canary, "name": canary},
    {"role": "user", "content": [{"type": "text", "text": canary}]},
    {"role": "assistant", "content": None, "tool_calls": [
        {"id": canary, "type": "function", "function": {"name": canary, "arguments": canary}}]},
    {"role": "tool", "tool_call_id": canary, "content": canary},
]
calls = [
    {"model": "gpt-4o", "messages": messages, "tools": [tool], "tool_choice": {"type": "function",
     "function": {"name": canary}}},
    {"model": canary, "text": canary},
    {"model": "gpt-4o", "messages": [{"role": canary, canary: canary, "content": [canary]}]},
    {"model": "gpt-4o", "messages": [{"role": "user", "content": [{"type": canary, canary: canary}]}]},
    {"model": "gpt-4o", "messages": canary},
]
for call in calls:
    for _ in range(5):
        with fast_litellm.context(unit=canary, attributes={canary: canary, "user": canary}):
            try:
                token_counter.token_counter(**call)
            except Exception:
                pass
feature = lambda: fast_litellm.status()["features"]["token_counting"]
while feature()["in_flight"] or not feature()["diverged"]:
    time.sleep(0.01)
time.sleep(1.5)
token_counter.token_counter(**calls[0])
print("seen", feature()["offered"], feature()["diverged"], flush=True)
os.kill(os.getpid(), 9)
"""


def test_nothing_of_a_call_is_written(tmp_path, monkeypatch):
    """Neither to the ledger, its log, its key or the ring, nor to any log; and what the ring held is as clean."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    monkeypatch.setenv("FAST_LITELLM_LEDGER", url)
    monkeypatch.setenv("FAST_LITELLM_STATE", str(tmp_path / "state"))
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(PROGRAM), CANARY]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=DEADLINE_S, env=os.environ)

    assert (-signal.SIGKILL, True) == (done.returncode, done.stdout.splitlines()[-1].startswith("seen ")), done.stderr
    assert "shadow.divergence" in done.stdout + done.stderr
    assert CANARY not in (done.stdout + done.stderr).lower()
    before = contents(tmp_path)
    assert {".db", ".db-wal", ".key", ".ring"} <= {Path(name).suffix for name in before}
    ledger = Ledger.open(url, flush_seconds=None)
    assert 1 == ledger.recover()
    assert ledger.divergences("token_counting")
    for found in (before, contents(tmp_path)):
        assert [] == [name for name, content in found.items() if CANARY.encode() in content.lower()]


def contents(directory):
    """Every file, by name."""
    return {str(path): path.read_bytes() for path in directory.rglob("*") if path.is_file()}
