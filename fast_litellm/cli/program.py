"""
The program: finds commands by name and turns every outcome into words on standard error and an exit status.

    0 fine      1 failed      2 wrong usage      3 a feature is blocked, for `status` also paused      130 interrupted
"""

from __future__ import annotations

import difflib
import importlib
import logging
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any

import click
import structlog

from fast_litellm.cli import console
from fast_litellm.errors import FastLiteLLMError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "run": "fast_litellm.cli.run",
    "status": "fast_litellm.cli.status",
    "doctor": "fast_litellm.cli.doctor",
    "pause": "fast_litellm.cli.pause",
    "resume": "fast_litellm.cli.resume",
    "validate": "fast_litellm.cli.validate",
    "explain": "fast_litellm.cli.explain",
    "schema": "fast_litellm.cli.schema",
    "diff": "fast_litellm.cli.diff",
    "lint": "fast_litellm.cli.lint",
    "import": "fast_litellm.cli.import_rules.command",
    "gate": "fast_litellm.cli.gate",
    "promote": "fast_litellm.cli.promote",
    "rollback": "fast_litellm.cli.rollback",
    "waive": "fast_litellm.cli.waive",
    "audit": "fast_litellm.cli.audit",
    "divergences": "fast_litellm.cli.divergences",
    "show": "fast_litellm.cli.show",
    "replay": "fast_litellm.cli.replay",
    "minimise": "fast_litellm.cli.minimise",
    "capture-key": "fast_litellm.cli.capture_key",
    "recommendations": "fast_litellm.cli.recommendations",
    "report": "fast_litellm.cli.report",
    "dashboard": "fast_litellm.cli.dashboard",
    "metrics": "fast_litellm.cli.metrics",
    "bench": "fast_litellm.cli.bench.command",
    "demo": "fast_litellm.cli.demo.command",
}

# 128 + SIGINT, as a shell reports a program ended by Ctrl-C.
EXIT_INTERRUPTED = 130


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is looked up."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """
        Returns:
            The names in the order a newcomer meets them.
        """
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """
        Returns:
            The command of that name, or None when there is none.
        """
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """
        Returns:
            The command that the first word names, and the words after it.

        Raises:
            UsageError: There is none; the nearest one is offered.
        """
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            if not near:
                raise
            raise click.UsageError(f"{error.message.rstrip('.')}; did you mean {near[0]}?", ctx) from None


def _print_version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        click.echo(f"fast-litellm {metadata.version('fast-litellm')}")
        context.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    invoke_without_command=True,
)
@click.option(
    "-V",
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version.",
)
@click.pass_context
def program(context: click.Context) -> None:
    """
    Roll Rust out under LiteLLM one proven percent at a time.

    Data goes to standard output, everything else to standard error. Exit status: 0 fine, 1 failed, 2 wrong usage, 3 a
    feature is blocked, for `status` also paused.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(2)


def main(arguments: Sequence[str] | None = None) -> None:
    """
    Run the command line and end the process.

    Args:
        arguments: The words after the program's name; None takes them from the process.

    Raises:
        SystemExit: Always; its code is the exit status.
    """
    console.speak_any_encoding()
    _send_events_to_standard_error()
    try:
        status = _status(None if arguments is None else list(arguments))
        sys.stdout.flush()  # what cannot be written is found out here, and not at exit
    except OSError as error:
        console.drop_output()
        console.error(f"cannot go on: {error}")
        status = 1
    sys.exit(status)


def _status(words: list[str] | None) -> int:
    """Runs a command and says how it ended, unless it ended well."""
    try:
        outcome: Any = program.main(args=words, prog_name="fast-litellm", standalone_mode=False)
    except (click.ClickException, FastLiteLLMError) as error:
        return _told(error)
    except (click.Abort, KeyboardInterrupt):
        console.error("interrupted")
        return EXIT_INTERRUPTED
    except UnicodeEncodeError as error:  # both streams take any text, so it is one that a command was given
        console.error(f"expected text that UTF-8 can express, got {error.object!a}")
        console.hint("arguments are read in the encoding of the locale")
        return click.UsageError.exit_code
    return outcome if isinstance(outcome, int) else 0


def _send_events_to_standard_error() -> None:
    # structlog's own default prints every event on standard output, which here belongs to data.
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
    )


def _told(error: click.ClickException | FastLiteLLMError) -> int:
    """Says what went wrong, and returns the exit status."""
    if not isinstance(error, click.ClickException):
        console.error(str(error))
        return 1
    console.error(error.format_message())
    if isinstance(error, click.UsageError):
        console.hint(f"see `{error.ctx.command_path if error.ctx else 'fast-litellm'} --help`")
    return error.status if isinstance(error, console.CommandFailed) else error.exit_code
