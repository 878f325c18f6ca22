"""The chain of the audit trail."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from fast_litellm.shadow import Ledger, Pause


@pytest.fixture
def ledger(tmp_path):
    """A ledger with four entries on its audit trail."""
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", flush_seconds=None)
    for state in ("blocked", "released", "blocked"):
        ledger.record_transition("parser", "build-1", state, actor="ada", reason="because")
    ledger.record_pause(Pause("parser", "paused", "fleet", "ada", "on call"))
    yield ledger
    ledger.close()


def test_an_untouched_trail_holds(ledger):
    """Each entry follows from the one before, the first from nothing."""
    rows = ledger.audit()

    assert ["", *(row["hash"] for row in rows[:-1])] == [row["prev_hash"] for row in rows]
    assert (4, 64, None) == (len({row["hash"] for row in rows}), len(rows[0]["hash"]), ledger.first_break())


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ("UPDATE transition SET actor = 'eve' WHERE seq = 2", 2),
        ("UPDATE transition SET at = at + 1 WHERE seq = 4", 4),
        ("DELETE FROM transition WHERE seq = 2", 3),
        ("DELETE FROM transition WHERE seq = 1", 2),
        ("UPDATE transition SET hash = '' WHERE seq = 3", 3),
        ("UPDATE transition SET hash = '', prev_hash = '' WHERE seq = 1", 2),
    ],
)
def test_what_was_changed_or_taken_out_is_found(ledger, tmp_path, change, broken):
    """The first entry that does not follow is named."""
    with contextlib.closing(sqlite3.connect(tmp_path / "ledger.db")) as connection, connection:
        connection.execute(change)
    assert broken == ledger.first_break()


def test_entries_name_the_state_before(ledger):
    """A build's, or the last one said for the fleet."""
    ledger.record_pause(Pause("parser", "running", "fleet", "ada", "off call"))

    assert ["", "blocked", "released", "", "paused"] == [row["from_state"] for row in ledger.audit("parser")]
    assert [] == ledger.audit("another")


def test_without_a_ledger_there_is_nothing_to_break(tmp_path):
    """Reading makes no file."""
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'none.db'}", flush_seconds=None)

    assert ([], None, None) == (ledger.audit(), ledger.first_break(), ledger.evidence("parser"))
    assert [] == list(tmp_path.iterdir())
