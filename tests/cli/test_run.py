"""Starting programs with acceleration installed."""

from __future__ import annotations

import os
import signal
import sys

import pytest

INSTALLED = "import sys, fast_litellm; print(fast_litellm.status()['installed'], 'litellm' in sys.modules)"


def test_a_program_starts_with_acceleration_installed(process):
    """It is installed before the program's first line, and LiteLLM is not imported for it."""
    outcome = process("run", "--", sys.executable, "-c", INSTALLED)

    assert (0, "True False\n", "") == (outcome.code, outcome.out, outcome.err)


def test_the_processes_of_a_program_are_accelerated_too(process):
    """Workers that a server spawns inherit it."""
    spawn = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {INSTALLED!r}], check=True)"

    outcome = process("run", "--", sys.executable, "-c", spawn)

    assert outcome.out == "True False\n"


def test_the_separator_can_be_left_out(process):
    """Everything after the first word belongs to the program, also what looks like an option of ours."""
    outcome = process("run", sys.executable, "-c", "import sys; print(sys.argv[1:])", "-h", "--json", "--", "x")

    assert outcome.out == "['-h', '--json', '--', 'x']\n"


def test_modules_can_be_run(process):
    """`python -m` reads its input and writes its output as if it had been started directly."""
    outcome = process("run", "--", sys.executable, "-m", "json.tool", "--compact", stdin='{"a":  1}')

    assert (0, '{"a":1}\n') == (outcome.code, outcome.out)


def test_console_scripts_can_be_run(process, tmp_path):
    """A script with a shebang is found on PATH and accelerated."""
    script = tmp_path / "serve"
    script.write_text(f"#!{sys.executable}\n{INSTALLED}\n")
    script.chmod(0o755)

    outcome = process("run", "--", "serve", PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    assert (0, "True False\n") == (outcome.code, outcome.out)


def test_the_exit_status_is_the_programs(process):
    """The program replaces the command, so nothing stands between it and the shell."""
    assert process("run", "--", sys.executable, "-c", "raise SystemExit(7)").code == 7


def test_signals_end_the_program_itself(process):
    """A program killed by a signal is reported as such."""
    code = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"

    assert -signal.SIGTERM == process("run", "--", sys.executable, "-c", code).code


def test_a_hidden_sitecustomize_still_runs(process, tmp_path):
    """The start-up file of another tool, further down the path, is executed under its own name."""
    (tmp_path / "sitecustomize.py").write_text("print('other tool')\n")
    code = "import sitecustomize; print(sitecustomize.__file__)"

    outcome = process("run", "--", sys.executable, "-c", code, PYTHONPATH=str(tmp_path))

    # The command itself is a Python process too, so the other tool speaks twice.
    assert ["other tool", "other tool", str(tmp_path / "sitecustomize.py")] == outcome.out.splitlines()


def test_the_inherited_path_is_kept(process, tmp_path):
    """Modules that the environment puts on the path are found as before."""
    (tmp_path / "neighbour.py").write_text("print('found')\n")

    outcome = process("run", "--", sys.executable, "-c", "import neighbour", PYTHONPATH=str(tmp_path))

    assert outcome.out == "found\n"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("no-such-program",), "hint: is it installed, and is its folder on PATH?"),
        (("service.py",), "hint: to run a Python file: fast-litellm run -- python service.py"),
    ],
)
def test_a_command_that_is_not_there_is_named(process, words, hint):
    """The error names it and says what may help, with the shell's exit status for it."""
    outcome = process("run", "--", *words)

    assert (127, "") == (outcome.code, outcome.out)
    assert [f"error: command not found: {words[0]}", hint] == outcome.err.splitlines()


def test_a_file_that_may_not_be_executed_is_named(process, tmp_path):
    """The exit status is the shell's for it."""
    file = tmp_path / "data"
    file.write_text("not a program")

    outcome = process("run", "--", file)

    assert outcome.code == 126
    assert outcome.err.startswith(f"error: cannot execute {file}: ")


def test_no_command_is_wrong_usage(process):
    """The exit status is 2 and help is offered."""
    outcome = process("run")

    assert outcome.code == 2
    assert "hint: see `fast-litellm run --help`" in outcome.err


def test_the_kill_switch_is_obeyed(process):
    """With FAST_LITELLM_DISABLE=1 the program starts and nothing is installed."""
    outcome = process("run", "--", sys.executable, "-c", INSTALLED, FAST_LITELLM_DISABLE="1")

    assert (0, "False False\n") == (outcome.code, outcome.out)


def test_a_bad_rule_file_does_not_stop_a_program(process, tmp_path):
    """The program starts unaccelerated, and what is wrong is said on standard error."""
    rules = tmp_path / "rollout.yaml"
    rules.write_text("version: 1\nflags: {}\nflagz: {}\n")

    outcome = process("run", "--", sys.executable, "-c", INSTALLED, FAST_LITELLM_CONFIG=str(rules))

    assert (0, "False False\n") == (outcome.code, outcome.out)
    assert outcome.err.startswith(f"fast-litellm: nothing is accelerated: {rules}:3:1: ")
