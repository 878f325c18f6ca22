"""How the tests of `import` run it."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
import yaml

from fast_litellm.flags import FlagManager


@dataclass(frozen=True)
class Imported:
    """What came of an import."""

    text: str
    left_out: list

    @property
    def flags(self):
        """The flags of the rule file."""
        return yaml.safe_load(self.text)["flags"]

    @property
    def elements(self):
        """Which elements of which flags were listed."""
        return [(entry["flag"], entry["element"]) for entry in self.left_out]


@pytest.fixture
def imported(cli, tmp_path):
    """Imports a document, and proves that the rule file is accepted."""

    def run(engine, document, *words):
        file, rules = tmp_path / "theirs.json", tmp_path / "ours.yaml"
        file.write_text(json.dumps(document))
        outcome = cli("import", "--from", engine, str(file), "--json", *words)
        assert (0, "") == (outcome.code, outcome.err)
        answer = json.loads(outcome.out)
        rules.write_text(answer["rules"])
        FlagManager.from_file(rules)
        return Imported(answer["rules"], answer["left_out"])

    return run
