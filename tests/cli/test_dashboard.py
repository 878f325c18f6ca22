"""The live page as a command: it starts, answers and ends."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

DEADLINE_S = 60


@pytest.fixture
def dashboard():
    """Starts the command on a free port, and returns it with its address."""
    started = []

    def start(*words):
        command = [sys.executable, "-m", "fast_litellm", "dashboard", "--port", "0", *words]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        said = []
        for line in started[-1].stderr:
            said.append(line)
            address = re.search(r"dashboard at (http://\S+)", line)
            if address:
                return started[-1], address[1], "".join(said)
        pytest.fail(f"it did not start: {said}")

    yield start
    for process in started:
        process.kill()
        process.wait(DEADLINE_S)
        process.stdout.close()
        process.stderr.close()


def get(address, path=""):
    """What is answered, as text."""
    with urllib.request.urlopen(f"{address}{path}", timeout=DEADLINE_S) as answer:
        return answer.read().decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_answers_until_it_is_told_to_end(dashboard, evidence, number):
    """Nothing on standard output, no traceback, exit status 0."""
    evidence.attach("token_counting")
    evidence.ledger.flush()
    process, address, said = dashboard()

    assert address.startswith("http://127.0.0.1:")
    assert "warning" not in said
    assert ["token_counting"] == [one["name"] for one in json.loads(get(address, "api/status.json"))["features"]]
    assert 'data-feature="token_counting"' in get(address)
    process.send_signal(number)
    assert ("", "") == process.communicate(timeout=DEADLINE_S)
    assert 0 == process.returncode


def test_a_ledger_that_comes_later_is_shown(dashboard, evidence):
    """The page says that there is none yet, and then shows it."""
    _, address, _ = dashboard()
    assert "Nothing has been recorded in ledger.db yet." in get(address)
    evidence.attach("routing")
    evidence.ledger.flush()

    shown = next(text for text in (get(address) for _ in range(10_000)) if "Nothing has been recorded" not in text)

    assert 'data-feature="routing"' in shown


def test_a_broken_ledger_is_a_page(dashboard, tmp_path):
    """No traceback and no empty answer."""
    (tmp_path / "ledger.db").write_bytes(b"not a database" * 100)
    _, address, _ = dashboard()

    assert "ledger.db cannot be read: file is not a database" in get(address)


def test_other_machines_are_warned_of(dashboard):
    """Whoever lets them in is told that nobody is asked for a password."""
    _, _, said = dashboard("--host", "0.0.0.0")

    assert said.startswith("warning: 0.0.0.0 can be reached from other machines")


def test_a_port_that_is_taken_is_an_error(cli):
    """The address and what to do are named."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        outcome = cli("dashboard", "--port", taken.getsockname()[1])

    assert 1 == outcome.code
    assert "cannot listen on 127.0.0.1:" in outcome.err
    assert "hint: name another port with --port" in outcome.err


def test_an_address_that_is_no_ledger_is_an_error(cli, monkeypatch):
    """It is not served as an empty one."""
    monkeypatch.setenv("FAST_LITELLM_LEDGER", "nowhere")

    assert 1 == cli("dashboard", "--port", "0").code


def test_an_address_that_this_machine_has_not_is_an_error(cli):
    """It is the address and not the port that is to be another."""
    outcome = cli("dashboard", "--host", "192.0.2.1", "--port", "0")

    assert 1 == outcome.code
    assert "hint: name an address of this machine with --host" in outcome.err
