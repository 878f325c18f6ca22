"""Comparing before timing, and what the command prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from fast_litellm.cli.bench.command import measure
from fast_litellm.cli.bench.race import Course
from fast_litellm.cli.bench.row import Figure, Goal, Measure, Row, Series, Statement


@pytest.fixture
def rows(monkeypatch):
    """Replaces the bench's rows: two that can be timed in no time, and on demand one whose sides disagree."""
    quick, slow = Statement("pass"), Statement("sum(range(50))")
    made = [Row(name, slow, quick, Goal(Measure.SPEEDUP, 2), most_calls=8) for name in ("first", "second")]
    monkeypatch.setattr("fast_litellm.cli.bench.rows.every", lambda: iter(made))
    monkeypatch.setattr("fast_litellm.cli.bench.rows.long", lambda _python: iter(()))
    return made


def disagreeing():
    side = Statement("pass")
    return Row("liar", side, side, Goal(Measure.SPEEDUP, 10), difference=lambda: "13 became 6")


def test_a_row_whose_sides_disagree_is_never_timed():
    """Its statements do not run, and the line carries the problem."""
    ran: list[str] = []
    side = Statement("ran.append('timed')", {"ran": ran})
    row = Row("liar", side, side, Goal(Measure.SPEEDUP, 10), difference=lambda: "13 became 6")

    lines = list(measure([row], Course()))

    assert [(None, "13 became 6")] == [(line.result, line.problem) for line in lines]
    assert ran == []


def test_rows_without_gain_are_lines_like_any_other():
    """A row that is slower than the other side is measured and kept."""
    now = [0]

    def clock():
        return now[0]

    def work(nanoseconds):
        now[0] += nanoseconds

    names = {"work": work}
    row = Row("slower", Statement("work(10)", names), Statement("work(90)", names), Goal(Measure.SPEEDUP, 10))

    lines = list(measure([row], Course(clock=clock, rounds=3, slower_ns=100, faster_ns=10)))

    assert [1 / 9] == [line.result.value.median for line in lines]


def test_machine_and_table_are_data_and_progress_is_talk(cli, rows):
    """What was measured where goes to standard output, what is being measured to standard error."""
    outcome = cli("bench", "--rounds", "3")

    assert outcome.code == 0
    assert all(word in outcome.out for word in ("processor", "python", "litellm", "first", "second", "ratio"))
    assert outcome.err == "measuring first\nmeasuring second\n"


def test_a_file_takes_everything_measured(cli, rows, tmp_path):
    """`--json FILE` writes the machine and every row, beside the table."""
    file = tmp_path / "bench.json"
    outcome = cli("bench", "--rounds", "3", "--json", str(file))
    document = json.loads(file.read_text())

    assert outcome.code == 0
    assert document["ok"] is True
    assert ["first", "second"] == [row["name"] for row in document["rows"]]
    assert document["machine"]["cores"]


def test_rows_can_be_picked(cli, rows):
    """`--only` takes a part of the name."""
    outcome = cli("bench", "--rounds", "3", "--only", "sec")

    assert outcome.err == "measuring second\n"


def test_picking_no_row_is_wrong_usage(cli, rows):
    """A mistyped name must not look like an empty success."""
    outcome = cli("bench", "--only", "third")

    assert (2, "") == (outcome.code, outcome.out)
    assert "no row contains 'third'" in outcome.err


def test_a_disagreement_fails_the_bench_and_leaves_the_other_rows(cli, rows):
    """The difference is named, the rest is printed, and the exit status is 1."""
    rows.insert(0, disagreeing())
    outcome = cli("bench", "--rounds", "3")

    assert outcome.code == 1
    assert "error: liar: 13 became 6\n" in outcome.err
    assert "second" in outcome.out


def test_a_debug_build_is_refused(cli, rows, monkeypatch):
    """Its figures would be quoted all the same."""
    monkeypatch.setattr("fast_litellm.accel.native.DEBUG_BUILD", True)

    outcome = cli("bench")

    assert (1, "") == (outcome.code, outcome.out)
    assert outcome.err.startswith("error: this is a debug build")


def test_figures_and_series_are_measured_as_rows_are(cli, monkeypatch):
    """Each in its table; long ones when they are asked for, by name or with `--all`."""
    figure = Figure("third", "MiB", 16, lambda _: [3.0])
    series = Series("fourth", Goal(Measure.SPEEDUP, 1), lambda _: [(10.0, 30.0)])
    monkeypatch.setattr("fast_litellm.cli.bench.rows.every", lambda: iter([series]))
    monkeypatch.setattr("fast_litellm.cli.bench.rows.long", lambda _python: iter([figure]))

    assert "measuring fourth\n" == cli("bench").err
    assert "measuring third\n" == cli("bench", "--only", "third").err
    assert "measuring fourth\nmeasuring third\n" == cli("bench", "--all").err
    assert "3.00x" in cli("bench").out


def test_nothing_is_written_to_the_users_ledger(cli, monkeypatch):
    """What the bench sends is no evidence."""
    before, seen = os.environ["FAST_LITELLM_LEDGER"], []
    figure = Figure("third", "MiB", 16, lambda _: [seen.append(os.environ["FAST_LITELLM_LEDGER"]) or 3.0])
    monkeypatch.setattr("fast_litellm.cli.bench.rows.every", lambda: iter([figure]))
    cli("bench")

    assert before == os.environ["FAST_LITELLM_LEDGER"]
    assert [False] == [it == before for it in seen]


def test_what_fails_while_it_is_measured_does_not_keep_the_others_from_it(cli, rows, monkeypatch, tmp_path):
    """Row or figure: the reason is said and written, the rest is printed, and the exit status is 1."""

    def fail(_rounds):
        raise ConnectionError("the server is gone")

    broken = [Series("third", Goal(Measure.SPEEDUP, 1), fail), Figure("fourth", "MiB", 16, fail)]
    monkeypatch.setattr("fast_litellm.cli.bench.rows.every", lambda: iter([*broken, *rows]))
    outcome = cli("bench", "--rounds", "3", "--json", str(tmp_path / "bench.json"))
    document = json.loads((tmp_path / "bench.json").read_text())

    assert (1, 2) == (outcome.code, outcome.out.count("failed"))
    assert "error: fourth: ConnectionError: the server is gone\n" in outcome.err
    assert ["third", "first", "second"] == [row["name"] for row in document["rows"]]
    assert ["ConnectionError: the server is gone"] == [it["problem"] for it in document["figures"]]


def test_the_commands_own_process_keeps_its_modules(tmp_path):
    """The former project's side takes its directory from the places where modules are found: in its own process."""
    said = "import sys; before = list(sys.path); import fast_litellm.cli.bench.command; print(sys.path == before)"
    command = [sys.executable, "-c", said]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path)

    assert "True\n" == done.stdout, done.stderr
