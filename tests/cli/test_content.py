"""Whatever a call holds, no command that shows evidence prints it."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from fast_litellm.cli.dashboard import pictures
from fast_litellm.shadow.dashboard import page

CANARY = "kanarienvogel"
DEADLINE_S = 60

# Two pairs that differ in each way a text can get out: as a value, a key, an exception's text, an attribute.
PROGRAM = """
import sys, fast_litellm
canary = sys.argv[1]

@fast_litellm.seam("values", candidate=lambda text, **more: {text: [text + "x", more]})
def values(text, **more):
    return {text: [text, more]}

def fail(text):
    raise ValueError(text)

@fast_litellm.seam("errors", candidate=fail)
def errors(text):
    raise KeyError(text)

fast_litellm.install()
for _ in range(3):
    values(canary, user=canary, **{canary: [canary]})
    try:
        errors(canary)
    except KeyError:
        pass
def open_calls():
    return [one["in_flight"] for one in fast_litellm.status()["features"].values() if "in_flight" in one]

while any(open_calls()):
    pass
print(sum(one["diverged"] for one in fast_litellm.status()["features"].values()))
fast_litellm.uninstall()
"""


@pytest.fixture
def diverged(tmp_path):
    """The ledger of a program whose calls are full of what must not be seen."""
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(PROGRAM), CANARY]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=DEADLINE_S)
    assert int(done.stdout) >= 2
    assert CANARY not in done.stderr


def test_no_command_prints_what_a_call_held(cli, diverged):
    """Neither for people nor for programs."""
    fingerprints = [line.split()[0] for line in cli("divergences").out.splitlines() if line[:8].isalnum()]
    words = [("report",), ("report", "--json"), ("metrics",), ("metrics", "--json"), ("divergences", "--json")]
    words += [("show", name, *more) for name in fingerprints for more in ((), ("--json",))]
    said = [cli(*one) for one in words]

    assert len(words) >= 9
    assert all(one.out for one in said)
    assert [] == [word for word, one in zip(words, said) if CANARY in one.out.lower() + one.err.lower()]


def test_no_page_holds_what_a_call_held(diverged):
    """Neither as a file nor live."""
    picture = pictures.current()

    assert {"values", "errors"} <= {one.name for one in picture.features}
    assert sum(one.open_classes for one in picture.features) >= 2
    assert all(CANARY not in page.render(picture, live=live).lower() for live in (False, True))
