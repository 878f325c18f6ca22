"""A word in every field of LiteLLM's calls is in no byte that this package writes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random

from fast_litellm.cli import pictures
from fast_litellm.shadow import Ledger, capture, repro, sealing, synthetic
from fast_litellm.shadow.dashboard import metrics, page

CANARY = "kanarienvogel"
DEADLINE_S = 240

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
    """
    Neither to the ledger, its log, its key or the ring, nor to any log; and what the ring held is as clean. The calls
    are captured meanwhile: the private key, and nothing else, shows that they were full of it.
    """
    private_key, public_key = sealing.make_keys()
    until = datetime.now(timezone.utc) + timedelta(hours=1)
    for name, value in {"": "token_counting", "_KEY": public_key, "_UNTIL": until.isoformat()}.items():
        monkeypatch.setenv(f"FAST_LITELLM_CAPTURE{name}", value)
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
    classes = ledger.divergences("token_counting")
    captured = [row for one in classes for row in ledger.captures(one["fingerprint"])]
    assert captured
    assert any(CANARY in str(capture.call_of(sealing.unseal(private_key, bytes(it["sealed"])))) for it in captured)
    for found in (before, contents(tmp_path)):
        assert [] == [name for name, content in found.items() if CANARY.encode() in content.lower()]
    assert [] == [name for name, text in shown(ledger, classes).items() if CANARY in text.lower()]


def shown(ledger, classes):
    """What there is to be read of the evidence: metrics, pages, samples, and a test made of each of them."""
    picture = pictures.current()
    texts = {
        "file": page.render(picture),
        "live": page.render(picture, live=True),
        "metrics": metrics.exposition(picture),
    }
    for number, record in enumerate(ledger.show(one["fingerprint"]) for one in classes):
        texts[f"samples {number}"] = repr(record["samples"])
        for sample in record["samples"]:
            call = synthetic.call("chat", sample["shape"], Random(number))
            texts[f"test {number}"] = repro.write(record, call)
    assert len(texts) > 4
    return texts


def contents(directory):
    """Every file, by name."""
    return {str(path): path.read_bytes() for path in directory.rglob("*") if path.is_file()}
