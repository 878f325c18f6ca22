"""When the ledger's thread goes round."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from fast_litellm.shadow import rounds
from fast_litellm.shadow.rounds import Rounds


@pytest.mark.parametrize(("took", "rest"), [(0.0, 1.0), (0.4, 0.6), (0.75, 0.25), (9.0, 0.25)])
def test_rounds_begin_as_often_as_is_said(monkeypatch, took, rest):
    """However long each takes; one that takes too long is followed by a break all the same."""
    clock = iter((0.0, took))
    monkeypatch.setattr(rounds, "time", SimpleNamespace(monotonic=lambda: next(clock), thread_time_ns=lambda: 0))
    made = Rounds(lambda: None, 1.0)
    waited = []

    def wait(seconds):
        waited.append(seconds)
        made.end()

    monkeypatch.setattr(made, "_wake", SimpleNamespace(wait=wait, clear=lambda: None, set=lambda: None))
    made._run()

    assert [pytest.approx(rest)] == waited
