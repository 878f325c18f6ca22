"""Finding commands, and turning outcomes into words and an exit status."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from fast_litellm.cli import program
from fast_litellm.cli.console import CommandFailed
from fast_litellm.errors import LedgerError


@pytest.fixture
def ending(monkeypatch, cli):
    """Runs a command that ends in a given way."""

    def run(exception):
        @click.command
        def command():
            raise exception

        monkeypatch.setattr(program.LazyGroup, "get_command", lambda *_: command)
        return cli("anything")

    return run


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_lists_every_command_on_standard_output(cli, option):
    """Help that was asked for is data, and each command is in it with a line of its own."""
    outcome = cli(option)

    assert outcome.code == 0
    assert outcome.err == ""
    assert all(f"  {name} " in outcome.out for name in program.COMMANDS)


@pytest.mark.parametrize("name", program.COMMANDS)
def test_every_command_explains_itself(cli, name):
    """Each command has help, with -h as well."""
    outcome = cli(name, "-h")

    assert outcome.code == 0
    assert f"fast-litellm {name}" in outcome.out
    assert "\\b" not in outcome.out  # a mark of click's that a raw docstring would show


def test_no_command_is_wrong_usage_and_shows_help(cli):
    """Help that was not asked for is talk, and the exit status says so."""
    outcome = cli()

    assert outcome.code == 2
    assert outcome.out == ""
    assert "Commands:" in outcome.err


def test_the_version_is_that_of_the_package(cli):
    """It is read from the installed package, so it cannot differ from it."""
    outcome = cli("--version")

    assert outcome.code == 0
    assert outcome.out.startswith("fast-litellm 0.")


def test_wrong_usage_is_an_error_with_a_hint(cli):
    """An unknown command names itself and where to look, with exit status 2."""
    outcome = cli("bogus")

    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.startswith("error: ")
    assert "bogus" in outcome.err
    assert "\nhint: see `fast-litellm --help`\n" in outcome.err


def test_a_misspelt_command_is_told_the_nearest(cli):
    """As a misspelt feature is."""
    outcome = cli("stauts")

    assert (2, "error: No such command 'stauts'; did you mean status?") == (outcome.code, outcome.err.splitlines()[0])


@pytest.mark.parametrize(
    ("exception", "code", "words"),
    [
        (CommandFailed("it broke", "mend it", 3), 3, "error: it broke\nhint: mend it\n"),
        (LedgerError("it is gone"), 1, "error: it is gone\n"),
        (KeyboardInterrupt(), 130, "\nerror: interrupted\n"),
        (click.Abort(), 130, "error: interrupted\n"),
    ],
)
def test_every_ending_has_words_and_a_status(ending, exception, code, words):
    """Nobody meets a traceback for what the package itself reports."""
    outcome = ending(exception)

    assert (code, "", words) == (outcome.code, outcome.out, outcome.err)


def test_help_does_not_import_litellm():
    """LiteLLM takes seconds to import; only commands that need it do so."""
    code = (
        "import sys\n"
        "from fast_litellm.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    sys.exit('litellm' in sys.modules)\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=60)

    assert done.returncode == 0


@pytest.mark.parametrize("words", [("explain",), ("show",), ("bogus",), ("run",)])
def test_an_argument_that_is_no_text_is_an_error(process, words):
    """A byte that no encoding explains ends in words, not in a traceback."""
    outcome = process(*words, "\udcff")

    assert outcome.code in {1, 2, 127}
    assert outcome.err.startswith("error: ")
    assert "Traceback" not in outcome.err


def test_what_native_code_cannot_take_is_wrong_usage(process):
    """The text is shown, escaped."""
    outcome = process("explain", "\udcff")

    assert (2, "") == (outcome.code, outcome.out)
    assert outcome.err.startswith("error: expected text that UTF-8 can express, got '\\udcff'\nhint: ")


def test_output_of_another_encoding_is_escaped(process):
    """A name that the terminal cannot show is still a name, and no traceback."""
    outcome = process("validate", "n\xe4.yaml", PYTHONIOENCODING="ascii")

    assert 1 == outcome.code
    assert outcome.out.startswith("n\\xe4.yaml: ")
    assert "Traceback" not in outcome.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
@pytest.mark.usefixtures("unnamed")
@pytest.mark.parametrize("words", [("--help",), ("doctor", "--litellm", "1.106.2", "--json"), ("status", "--json")])
def test_a_full_disk_is_said_in_one_line(words):
    """Output that cannot be written is an error, with exit status 1."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "fast_litellm", *words], stdout=full, stderr=subprocess.PIPE, check=False, timeout=60
        )
    last = done.stderr.decode().splitlines()[-1]

    assert (1, "error: cannot go on: [Errno 28] No space left on device") == (done.returncode, last)
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="shells there close no streams")
@pytest.mark.parametrize("closed", [">&-", "2>&-"])
def test_a_closed_stream_is_no_error(closed):
    """A service may be started without standard output."""
    command = f'exec "{sys.executable}" -m fast_litellm explain token_counting {closed}'
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, check=False, timeout=60)

    assert (0, b"") == (done.returncode, done.stderr)


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("--help",), 0),
        (("doctor", "--litellm", "1.106.2"), 3),
        (("status",), 3),
        (("report",), 3),
        (("gate", "routing"), 3),
        (("show", "5eed"), 0),
        (("metrics",), 0),
    ],
)
def test_a_reader_that_leaves_early_is_no_error(evidence, words, status):
    """`fast-litellm status | head -1` ends quietly, with the exit status that it has without `head`."""
    evidence.attach("routing")
    evidence.diverge("routing", action="blocked")
    evidence.ledger.flush()
    command = [sys.executable, "-m", "fast_litellm", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as started:
        assert started.stdout
        assert started.stderr
        started.stdout.close()
        talk = started.stderr.read()

    assert (status, b"") == (started.returncode, b"".join(re.findall(rb"(?s)Traceback.*|.*Broken pipe.*", talk)))
