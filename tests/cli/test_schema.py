"""`fast-litellm schema`."""

from __future__ import annotations

import json

import pytest


def test_the_schema_is_printed_or_written(cli, tmp_path):
    """The same text both ways."""
    printed = cli("schema")
    written = cli("schema", "--output", str(tmp_path / "schema.json"))

    assert ((0, 0), "") == ((printed.code, written.code), written.out)
    assert printed.out == (tmp_path / "schema.json").read_text()
    assert "Rules of fast-litellm" == json.loads(printed.out)["title"]


@pytest.mark.parametrize("words", [("schema", "--output"), ("capture-key",)])
def test_a_file_that_cannot_be_written_is_named_with_the_reason(cli, words):
    """In the same words whatever is to be written."""
    outcome = cli(*words, "/nowhere/file")

    assert (1, "", "error: /nowhere/file cannot be written: No such file or directory\n") == (
        outcome.code, outcome.out, outcome.err,
    )  # fmt: skip
