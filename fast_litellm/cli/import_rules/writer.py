"""The imported rules as YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from fast_litellm.cli.import_rules.draft import Mapping

_HEADER = """\
# Imported from {engine}, whose hash these flags keep: every unit stays on its side.
# Attributes keep their names; give them with fast_litellm.context(...).
# Python answers a call without the attribute that is hashed.
"""
# Long enough that no text is folded over lines.
_WIDTH = 10_000


class _Dumper(yaml.SafeDumper):
    """Block style, and no aliases: a rule file has none."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - yaml's signature
        return True


def written(engine: str, hash_name: str, flags: Mapping) -> str:
    """
    Write a rule file.

    Args:
        engine: Where the rules come from, as people call it.
        hash_name: The hash its units are divided by.
        flags: The flags by name.

    Returns:
        YAML that begins with a comment.
    """
    document = {"version": 1, "defaults": {"hash": hash_name, "python_on_missing_unit": True}, "flags": flags}
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return _HEADER.format(engine=engine) + text
