"""Directories that go away, whoever else is at work in them."""

from __future__ import annotations

import shutil

from fast_litellm.cli import scratch


def test_a_directory_is_there_for_the_block_and_gone_after_it():
    """Named after what it is for, and empty at first."""
    with scratch.directory("bench") as found:
        names = found.name.startswith("fast-litellm-bench-"), list(found.iterdir())
        (found / "ledger.db").touch()

    assert (True, []) == names
    assert not found.exists()


def test_what_cannot_be_removed_fails_nobody(monkeypatch):
    """A ledger's thread may write a file between the listing of the directory and its removal."""
    original = shutil.rmtree

    def raced(path, **options):
        original(path)
        original(path, **options)  # now it is not there

    monkeypatch.setattr(shutil, "rmtree", raced)
    with scratch.directory("bench") as found:
        pass

    assert not found.exists()
