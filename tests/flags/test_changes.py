"""What counts as a change of the rules."""

from __future__ import annotations

import pytest

from fast_litellm.flags import FlagManager
from fast_litellm.flags.changes import Change, Changes

from .conftest import HALF, TENTH

NOTHING = Change([], revised=False, problems=0, rejected=False, recovered=False)
SEGMENTED = """\
version: 1
segments: {{beta: {{attr: team, in: [{team}]}}}}
flags:
  plain: {{otherwise: rust}}
  parser: {{rules: [{{name: beta, when: {{segment: beta}}, serve: rust}}]}}
"""


@pytest.fixture
def look(rules):
    """Looks at a manager before and after its file gets another text."""
    manager = FlagManager.from_file(rules)
    changes = Changes(manager)

    def after(text):
        rules.write_text(text)
        manager.reload()
        return changes.look()

    return after


def test_what_a_flag_does_is_compared(look):
    """Another percentage is a change, once."""
    assert NOTHING._replace(flags=["parser"], revised=True) == look(HALF)
    assert NOTHING == look(HALF)


def test_a_flag_that_moves_is_unchanged(look):
    """Its line is another one, its decisions are not."""
    assert NOTHING._replace(revised=True) == look(TENTH.replace("flags:", "\n\n\nflags:"))


def test_flags_that_come_and_go_are_changes(look):
    """Both are named, in alphabetical order."""
    assert ["lexer", "parser"] == look("version: 1\nflags: {lexer: {otherwise: rust}}\n").flags


def test_a_segment_changes_the_flags_that_use_it(look):
    """Descriptions name a segment without its contents; its users count as changed, others do not."""
    look(SEGMENTED.format(team="a"))

    assert ["parser"] == look(SEGMENTED.format(team="b")).flags
    assert NOTHING == look(SEGMENTED.format(team="b"))


def test_stale_rules_are_told_once(look):
    """Rejected when it happens, recovered when it is over; the flags in force have not changed."""
    assert NOTHING._replace(problems=1, rejected=True) == look("version: 1\nflags: [\n")
    assert NOTHING._replace(problems=1) == look("version: 1\nflags: [ \n")
    assert NOTHING._replace(recovered=True) == look(TENTH)


def test_a_flag_that_vanishes_during_the_look_is_left_out(rules, monkeypatch):
    """Between the list of names and the description another thread may have reloaded."""
    manager = FlagManager.from_file(rules)
    changes = Changes(manager)
    stages = {**manager.cell.stages(), "gone": "on"}

    class Cell:
        """Lists a flag that nobody can describe."""

        revision = manager.cell.revision

        def stages(self):
            return stages

    monkeypatch.setattr(FlagManager, "cell", Cell())

    assert NOTHING == changes.look()
