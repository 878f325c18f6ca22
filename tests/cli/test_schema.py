"""`fast-litellm schema`."""

from __future__ import annotations

import json


def test_the_schema_is_printed_or_written(cli, tmp_path):
    """The same text both ways."""
    printed = cli("schema")
    written = cli("schema", "--output", str(tmp_path / "schema.json"))

    assert ((0, 0), "") == ((printed.code, written.code), written.out)
    assert printed.out == (tmp_path / "schema.json").read_text()
    assert "Rules of fast-litellm" == json.loads(printed.out)["title"]
