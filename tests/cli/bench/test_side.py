"""One side of whole programs: its requests and answers, and its clock."""

from __future__ import annotations

import io
import json
from contextlib import contextmanager

from fast_litellm.cli.bench import side
from fast_litellm.cli.bench.side import BusyClock, Side

CALLED = []


@contextmanager
def calls(word):
    """What sends a call of the one kind, for a side that is told a word."""
    yield {"greet": lambda: CALLED.append(word) or f"hello {word}"}


def test_a_side_answers_what_it_is_asked(monkeypatch, capsys):
    """One line for what installing took, and one for each request."""
    CALLED.clear()
    requests = [["answer", "greet"], ["warm_up", "greet"], ["batch", "greet", 5]]
    monkeypatch.setattr(side.sys, "stdin", io.StringIO("".join(json.dumps(each) + "\n" for each in requests)))
    side.serve("off", f"{__name__}:calls", ["you"])
    installing, answer, warm_up, batch = map(json.loads, capsys.readouterr().out.splitlines())

    assert (["installing_ns"], "hello you", None) == (list(installing), answer["is"], warm_up["is"])
    assert (2, True) == (len(batch["is"]), min(batch["is"]) > 0)
    assert 1 + side._PASS + 5 == len(CALLED)


def test_its_clock_stands_still_while_it_is_not_asked(monkeypatch):
    """The budget of comparisons is filled by what the turns take, and not in those of others."""
    now = [0]
    monkeypatch.setattr(side.time, "process_time_ns", lambda: now[0])
    clock = BusyClock()
    seen = []
    for taken in (7, 5):
        now[0] += 1_000
        with clock.running():
            now[0] += taken
            seen.append(clock())
        seen.append(clock())

    assert [0, 7, 7, 12] == seen


def test_comparisons_are_waited_for(monkeypatch):
    """What the calls of a batch cause belongs to it."""
    waiting = [3]

    def in_flight():
        waiting[0] -= 1
        return max(0, waiting[0])

    monkeypatch.setattr(side.stages, "in_flight", in_flight)
    Side({"greet": lambda: None}, BusyClock(), is_compared=True).batch("greet", 1)

    assert 0 >= waiting[0]
