"""How commands speak."""

from __future__ import annotations

import pytest

from fast_litellm.cli import console


def test_data_and_talk_go_to_different_streams(capsys):
    """Errors, hints and remarks never mix with data."""
    console.write("data")
    console.error("broken")
    console.hint("mend it")
    console.say("by the way")
    said = capsys.readouterr()

    assert said.out == "data\n"
    assert said.err == "error: broken\nhint: mend it\nby the way\n"


def test_long_talk_is_not_broken_into_lines(capsys):
    """A path that is cut in two cannot be copied."""
    console.error("x" * 300)

    assert capsys.readouterr().err == f"error: {'x' * 300}\n"


def test_without_colour_labels_still_tell_errors_from_hints(capsys, monkeypatch):
    """Colour is decoration: the words are the same with it."""
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")

    console.error("broken")
    said = capsys.readouterr().err

    assert "\x1b[" in said
    assert "error: " in said


def test_fields_are_aligned(capsys):
    """Values stand under each other."""
    console.print_fields({"a": 1, "longer": "two"})

    assert capsys.readouterr().out == "a       1\nlonger  two\n"


@pytest.mark.parametrize("columns", ["20", "80"])
def test_tables_are_never_squeezed_below_eighty_columns(columns, monkeypatch):
    """A narrow pipe gets the same table as a terminal."""
    monkeypatch.setenv("COLUMNS", columns)

    assert console.output().width == 80
