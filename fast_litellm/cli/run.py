"""`fast-litellm run -- CMD...`: start any program with acceleration installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import click

from fast_litellm.cli import console

STARTUP = Path(__file__).parent / "startup"

# What a POSIX shell reports for a command it cannot find, and for one it may not execute.
EXIT_NOT_FOUND = 127
EXIT_NOT_EXECUTABLE = 126


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}, options_metavar="", name="run"
)
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND [ARGUMENT]...")
def command(words: tuple[str, ...]) -> None:
    """
    Start any program with acceleration installed.

    Works for every Python program and for the Python processes it starts: uvicorn, gunicorn, litellm --config ...,
    python -m ..., scripts. The program replaces this process, so signals and the exit status are its own. Programs
    started with python -I, -E or -S ignore it, as they ignore everything that is set up outside of them.

    \b
    Examples:
      fast-litellm run -- litellm --config config.yaml
      fast-litellm run -- python -m myservice
    """  # noqa: D301 - click looks for the character itself
    os.environ["PYTHONPATH"] = _python_path(os.environ.get("PYTHONPATH", ""))
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        _become(words)
    except FileNotFoundError:
        console.fail(f"command not found: {words[0]}", _not_found_hint(words[0]), EXIT_NOT_FOUND)
    except OSError as error:
        console.fail(f"cannot execute {words[0]}: {error.strerror}", exit_code=EXIT_NOT_EXECUTABLE)


def _python_path(inherited: str) -> str:
    # An empty entry means the current directory to Python, so entries are kept as they are.
    others = [entry for entry in inherited.split(os.pathsep) if entry != str(STARTUP)] if inherited else []
    return os.pathsep.join([str(STARTUP), *others])


def _become(words: tuple[str, ...]) -> NoReturn:
    if os.name == "nt":
        # Windows has no exec: its os.execvp returns to the shell at once and loses the exit status.
        sys.exit(subprocess.call(words))  # noqa: S603 - the user's own command
    os.execvp(words[0], words)  # noqa: S606 - the user's own command, without a shell on purpose


def _not_found_hint(word: str) -> str:
    if word.endswith(".py"):
        return f"to run a Python file: fast-litellm run -- python {word}"
    return "is it installed, and is its folder on PATH?"
