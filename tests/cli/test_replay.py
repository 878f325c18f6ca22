"""A divergence class, run again, and written as a failing test."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from datetime import datetime, timedelta, timezone

import pytest

from fast_litellm.accel import own_pairs

DEADLINE_S = 60
CANARY = "kanarienvogel"

# A pair that differs on long texts, until its candidate is repaired.
PAIR = """
import fast_litellm

def fast(text, times=1):
    return text.upper() * times + ("!" if len(text) >= 20 else "")

@fast_litellm.seam("shout", candidate=fast)
def shout(text, times=1):
    return text.upper() * times
"""
PROGRAM = """
import sys, fast_litellm, shouting
fast_litellm.install()
feature = lambda: fast_litellm.status()["features"]["shout"]
while not feature()["diverged"]:  # a busy machine's budget may leave some out
    for number in range(8):
        shouting.shout(sys.argv[1] * (number % 4), 2)
    while feature()["in_flight"]:
        pass
print(feature()["diverged"])
fast_litellm.uninstall()
"""


def run(*words, cwd, **variables):
    """Runs a program in a directory of its own."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(cwd), "PYTHONDONTWRITEBYTECODE": "1", **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_S,
    )


@pytest.fixture
def work(tmp_path, cli, monkeypatch):
    """A directory with a pair that has differed, its ledger, and a captured call."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shouting.py").write_text(PAIR)
    until = datetime.now(timezone.utc) + timedelta(hours=1)
    asked = {"": "shout", "_KEY": cli("capture-key", "private.key").out.strip(), "_UNTIL": until.isoformat()}
    named = {f"FAST_LITELLM_CAPTURE{name}": value for name, value in asked.items()}
    done = run("-c", PROGRAM, CANARY, cwd=tmp_path, **named)
    assert int(done.stdout) >= 1, done.stderr
    assert CANARY not in done.stderr
    return tmp_path


@pytest.fixture
def fingerprint(work, cli):
    """The class of the differences."""
    return json.loads(cli("divergences", "--json").out)["divergences"][0]["fingerprint"]


@pytest.fixture
def fresh(cli, work, monkeypatch):
    """Runs a command that knows of no pair before it imports one, as a new process does."""
    monkeypatch.syspath_prepend(work)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def of(*words):
        monkeypatch.setattr(own_pairs, "_declared", {})
        sys.modules.pop("shouting", None)
        importlib.invalidate_caches()
        return cli(*words)

    yield of
    sys.modules.pop("shouting", None)


def test_a_finding_is_replayed_minimised_repaired_and_replayed(work, fingerprint, fresh):
    """The file fails while the candidate differs, and passes when it is right; nothing shows what was seen."""
    again = fresh("replay", fingerprint, "--module", "shouting", "--key", "private.key")
    assert (1, "the candidate still differs") == (again.code, again.out.splitlines()[-1])
    assert re.search(r"^captured  (\d) calls: \1 differ as before$", again.out, re.MULTILINE)

    written = fresh("minimise", fingerprint, "--module", "shouting")
    path = work / written.out.strip()
    assert f"test_shout_{fingerprint[:8]}.py" == path.name
    assert f"ARGS = ('{'x' * 20}',)" in path.read_text().splitlines()
    test = run("-m", "pytest", "-q", "-p", "no:cacheprovider", path.name, cwd=work)
    assert (1, True) == (test.returncode, "1 failed" in test.stdout)

    (work / "shouting.py").write_text(PAIR.replace('"!" if', '"" if'))
    test = run("-m", "pytest", "-q", "-p", "no:cacheprovider", path.name, cwd=work)
    assert (0, True) == (test.returncode, "1 passed" in test.stdout)
    healed = fresh("replay", fingerprint, "--module", "shouting", "--json")
    assert (0, False) == (healed.code, json.loads(healed.out)["differs"])
    files = [one for one in work.rglob("*") if one.is_file()]
    assert [] == [one.name for one in files if CANARY.encode() in one.read_bytes().lower()]
    said = [text for one in (again, written, healed) for text in (one.out, one.err)]
    assert [] == [text for text in said if CANARY in text.lower()]


def test_what_was_not_named_is_not_imported_and_only_the_right_key_opens(work, fingerprint, fresh):
    """A pair must be known, its module must be there, and so must the private key of the public one."""
    unknown, absent = fresh("replay", fingerprint), fresh("minimise", fingerprint, "--module", "shouted")
    assert (1, "") == (unknown.code, unknown.out)
    assert "--module MODULE" in unknown.err
    assert (2, True) == (absent.code, "there is no module shouted" in absent.err)
    fresh("capture-key", "other.key")
    refused = fresh("replay", fingerprint, "--module", "shouting", "--key", "other.key")
    assert (1, True) == (refused.code, "sealed to another key" in refused.err)


def test_a_class_without_a_shape_is_not_taken_for_a_right_candidate(cli, evidence):
    """Nothing was compared, so nothing is well."""
    evidence.attach("secret_redaction")
    evidence.diverge("secret_redaction")
    evidence.ledger.flush()
    replayed, minimised = cli("replay", "5eed"), cli("minimise", "5eed")
    assert (1, True) == (replayed.code, "nothing could be compared" in replayed.out)
    assert (1, True) == (minimised.code, "no sample of this class tells the shape" in minimised.err)


def test_a_key_and_a_test_are_never_overwritten(cli, evidence, tmp_path, monkeypatch):
    """The private key is for its owner only."""
    monkeypatch.chdir(tmp_path)
    assert 0 == cli("capture-key", "private.key").code
    assert (0o600, 2) == ((tmp_path / "private.key").stat().st_mode & 0o777, cli("capture-key", "private.key").code)
    evidence.attach("secret_redaction")
    evidence.diverge("secret_redaction")
    evidence.ledger.flush()
    (tmp_path / f"test_secret_redaction_{'5eed' * 2}.py").write_text("")
    assert 2 == cli("minimise", "5eed").code
