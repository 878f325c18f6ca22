"""The files that processes leave, and those they never came to use."""

from __future__ import annotations

import fcntl
import os
import time

from fast_litellm.shadow import ring

LONG_AGO = time.time() - 3_600


def draft(directory, name, modified=LONG_AGO):
    path = directory / f"{name}.ring.new"
    path.touch()
    os.utime(path, (modified, modified))
    return path


def test_a_ring_that_was_never_finished_is_removed_once_it_is_old(tmp_path):
    """Its owner was killed while it made it; a young one may still be in the making."""
    old, young = draft(tmp_path, "old"), draft(tmp_path, "young", time.time())

    assert 0 == ring.recover(tmp_path, lambda left: None)
    assert (False, True) == (old.exists(), young.exists())


def test_a_draft_whose_owner_lives_is_left_to_it(tmp_path):
    """However long it takes, its lock says so."""
    path = draft(tmp_path, "slow")
    with path.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        ring.recover(tmp_path, lambda left: None)

    assert path.exists()
