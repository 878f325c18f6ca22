"""
How commands speak: data on standard output, everything else on standard error.

Colour is decoration only and rich leaves it out when NO_COLOR is set or the output is not a terminal. Our own text is
ASCII, so that a terminal of any encoding can show it; what we are given is escaped where it cannot.
"""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# What rich assumes for a pipe, and what a terminal has at least: every table is laid out for it.
MINIMUM_WIDTH = 80


class CommandFailed(click.ClickException):
    """
    A command could not do what it was asked.

    Args:
        message: What happened, without a period at the end.
        hint: What to do about it; empty when there is nothing to add.
        status: The exit status.
    """

    def __init__(self, message: str, hint: str = "", status: int = 1) -> None:
        super().__init__(message)
        self.hint = hint
        self.status = status

    def format_message(self) -> str:
        """
        Returns:
            The message, with its hint on a second line.
        """
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message


def speak_any_encoding() -> None:
    """
    Have both streams write what their encoding cannot express as an escape instead of failing. What is said to a stream
    that was closed before the program began is lost, as for every program; so is what is said to a reader that leaves
    in the middle.
    """
    sys.stdout, sys.stderr = _patient(sys.stdout), _patient(sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _patient(stream: TextIO | None) -> TextIO:
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8")
    if not isinstance(stream, io.TextIOWrapper) or stream not in (sys.__stdout__, sys.__stderr__):
        return stream  # somebody else's, who reads all of it
    stream.flush()
    raw = io.BufferedWriter(_Patient(stream.fileno(), "wb", closefd=False))
    return io.TextIOWrapper(
        raw, stream.encoding, line_buffering=stream.line_buffering, write_through=stream.write_through
    )


class _Patient(io.FileIO):
    """A stream whose reader may leave, as `head` does: the command goes on, to the exit status that it always has."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            return memoryview(data).nbytes


def drop_output() -> None:
    """Give up standard output: Python would complain again when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def fail(message: str, hint: str = "", exit_code: int = 1) -> NoReturn:
    """
    End the command.

    Raises:
        CommandFailed: Always.
    """
    raise CommandFailed(message, hint, exit_code)


def error(message: str) -> None:
    """Say on standard error what went wrong."""
    _talk("error", "bold red", message)


def hint(message: str) -> None:
    """Say on standard error what may help."""
    _talk("hint", "bold cyan", message)


def note(message: str) -> None:
    """Say on standard error what is worth knowing and nobody's mistake."""
    _talk("note", "bold", message)


def say(message: str) -> None:
    """Say something on standard error."""
    talk().print(message, soft_wrap=True)


def _talk(label: str, style: str, message: str) -> None:
    talk().print(Text(f"{label}: ", style=style) + Text(message), soft_wrap=True)


def talk() -> Console:
    """
    Returns:
        A console on standard error.
    """
    return Console(stderr=True, markup=False, highlight=False)


def output() -> Console:
    """
    Returns:
        A console on standard output, never narrower than 80 columns.
    """
    console = Console(markup=False, highlight=False)
    console.width = max(console.width, MINIMUM_WIDTH)
    return console


def save(path: Path, text: str) -> None:
    """
    Write a file that was asked for.

    Raises:
        CommandFailed: It cannot be written.
    """
    with saving(path):
        path.write_text(text, encoding="utf-8")


@contextmanager
def saving(path: Path) -> Iterator[None]:
    """End the command with the file's name and the reason when the block cannot write it."""
    try:
        yield
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror}")


def write(text: str) -> None:
    """Print a line of data on standard output, as it is, and at once: what comes after it may take a while."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def print_json(document: object) -> None:
    """Print a document on standard output as indented JSON."""
    write(json.dumps(document, indent=2, ensure_ascii=False, default=str))


def print_fields(fields: Mapping[str, object]) -> None:
    """Print names and values in two aligned columns on standard output."""
    width = max((len(name) for name in fields), default=0)
    for name, value in fields.items():
        write(f"{name:<{width}}  {value}")


def table(columns: Iterable[str], numbers: Iterable[str] = (), title: str | None = None) -> Table:
    """
    Start a table that reads the same in a terminal and in a pipe.

    Args:
        columns: Headings, left to right.
        numbers: Those of them whose cells are numbers, aligned to the right.
        title: A line above the table.

    Returns:
        A rich table without rows.
    """
    made = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
    )
    right = set(numbers)
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return made


def json_option(function: Any) -> Any:
    """
    Returns:
        The command with the `--json` switch every reading command has, as the argument `as_json`.
    """
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")(function)
