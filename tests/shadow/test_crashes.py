"""Processes that fork, and processes that are killed."""

from __future__ import annotations

import random

import pytest

from fast_litellm.shadow import Ledger

DEADLINE_S = 30
ROUNDS = 3
MOST_RECORDS = 12
LONGEST_PAUSE_S = 0.01

BUSY = """
    import sys, threading
    from fast_litellm.accel.native import Tally
    from fast_litellm.shadow import *

    tally = Tally()
    ledger = Ledger.open(sys.argv[1], flush_seconds=0.001)
    ledger.attach(Epoch("feature", "build-1"), tally)
    candidate = FunctionCandidate(lambda x: x + (x % 50 == 49), "build-1")
    runner = ShadowRunner(Experiment("feature", lambda x: x, candidate, comparators.exact), tally=tally, sink=ledger,
                          budget=Budget(1), limits=Limits(max_jobs=20, deadline_ms=60000))

    def call():
        number = 0
        while True:
            number += 1
            tally.sample_out() if number % 3 else runner.observe((number,), {})

    for _ in range(2):
        threading.Thread(target=call, daemon=True).start()
    while tally.reading()["diverged"] < 3 or not ledger.flush():
        pass
    print("busy", flush=True)
    threading.Event().wait()
"""

# A process that forks one after the other, which write to no database by themselves: what they leave is in their rings.
DOOMED = """
    import os, sys, time
    from fast_litellm.accel.native import Tally
    from fast_litellm.shadow import *
    from fast_litellm.shadow.observation import Comparison, Description, Summary

    SIDE = Summary("value", "int")

    def live(out):
        tally = Tally()
        ledger = Ledger.open(sys.argv[1], flush_seconds=None)
        ledger.attach(Epoch("feature", "build-1"), tally)
        number = 0
        while True:
            number += 1
            ticket = tally.accept(number % 5)
            if number % 7 == 0:
                tally.shed("budget", number % 3)
            if number % 11 == 0:
                description = Description("value", "$", "$", f"{number % 4:032x}", SIDE, SIDE)
                ticket.compare("diverged")
                if ledger.record(Comparison("feature", "build-1", "exact/1", "diverged", description)):
                    os.write(out, bytes([number % 4]))
            elif number % 13:
                ticket.compare("matched")
            else:
                ledger.flush() if number % 130 == 0 else ticket.shed("unsnapshotable")

    for line in sys.stdin:
        source, out = os.pipe()
        child = os.fork()
        if not child:
            live(out)
        os.close(out)
        records, seconds = line.split()
        told = b""
        while len(told) < int(records):
            told += os.read(source, 1)
        time.sleep(float(seconds))
        os.kill(child, 9)
        os.waitpid(child, 0)
        while piece := os.read(source, 65536):
            told += piece
        os.close(source)
        print(*(told.count(bytes([which])) for which in range(4)), flush=True)
"""

FORKING = """
    import os, sys
    from fast_litellm.accel.native import Tally
    from fast_litellm.shadow import *

    tally = Tally()
    ledger = Ledger.open(sys.argv[1], flush_seconds=0.01)
    ledger.attach(Epoch("feature", "build-1"), tally)
    for _ in range(5):
        tally.sample_out()
    ledger.flush()
    for expected in (6, 7, 8):
        child = os.fork()
        if not child:
            tally.sample_out()
            while ledger.status()["features"]["feature"]["offered"] < expected:
                pass
            os._exit(0)
        os.waitpid(child, 0)
    tally.sample_out()
    ledger.close()
"""

# Workers as a server forks them: everything was made before, and each is killed once it has compared a call of each.
WORKERS = """
    import os, sys
    from fast_litellm.accel.native import Tally
    from fast_litellm.shadow import *

    ledger = Ledger.open(sys.argv[1], flush_seconds=None)
    runners = []
    for number in range(8):
        tally, name = Tally(), f"feature_{number}"
        ledger.attach(Epoch(name, "build-1"), tally)
        experiment = Experiment(name, abs, FunctionCandidate(abs), comparators.exact)
        runners.append(ShadowRunner(experiment, tally=tally, sink=ledger, budget=Budget(1)))
    for writes in (False, True):
        child = os.fork()
        if not child:
            for runner in runners:
                runner.observe((1,), {})
            for runner in runners:
                runner.drain(30)
            if writes:
                ledger.flush()
            os.kill(os.getpid(), 9)
        os.waitpid(child, 0)
"""

ENDING = """
    import sys
    from fast_litellm.accel.native import Tally
    from fast_litellm.shadow import *

    tally = Tally()
    ledger = Ledger.open(sys.argv[1], flush_seconds=3600)
    ledger.attach(Epoch("feature", "build-1"), tally)
    experiment = Experiment("feature", abs, FunctionCandidate(abs), comparators.exact)
    runner = ShadowRunner(experiment, tally=tally, sink=ledger)
    runner.observe((1,), {})
"""


def test_every_call_is_accounted_for_after_kill_9(python, tmp_path):
    """A process killed in the middle of everything leaves balanced counters: what was in flight is shed as died."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    seen = 0
    for _ in range(ROUNDS):
        process = python(BUSY, url)
        assert "busy" == process.stdout.readline().strip()
        process.kill()
        process.wait(DEADLINE_S)
        feature = Ledger.open(url, flush_seconds=None).status()["features"]["feature"]
        accounted = feature["sampled_out"] + feature["compared"] + sum(feature["shed"].values())
        assert (accounted, 0) == (feature["offered"], feature["in_flight"])
        assert feature["compared"] == feature["matched"] + feature["diverged"]
        assert feature["offered"] > seen
        seen = feature["offered"]


def check_deaths(start, tmp_path, rounds):
    """
    Kills so many processes at random moments, some of them before their first record and all within moments of another.
    Returns how many records they were waited for, however slow the machine; they were told that at least so many are
    kept.
    """
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    nursery, draw = start(DOOMED, url), random.Random(7)
    kept, awaited = [0] * 4, 0
    for _ in range(rounds):
        records = draw.randrange(MOST_RECORDS)
        awaited += records
        nursery.stdin.write(f"{records} {draw.uniform(0, LONGEST_PAUSE_S)}\n")
        nursery.stdin.flush()
        kept = [old + new for old, new in zip(kept, map(int, nursery.stdout.readline().split()))]
        ledger = Ledger.open(url, flush_seconds=None)
        ledger.recover()
        check(ledger, kept)
    assert sum(kept) >= awaited
    return awaited


def check(ledger, kept):
    """No record is lost, and every call is in one place, for each shape."""
    found = {record["fingerprint"]: record["count"] for record in ledger.divergences("feature")}
    for which, count in enumerate(kept):
        assert found.get(f"{which:032x}", 0) >= count
    evidence = ledger.evidence("feature")
    if evidence is None:
        return
    for account in [evidence.account, *(shape.account for shape in evidence.shapes)]:
        ended = account.matched + account.waived + account.diverged + sum(account.shed.values())
        assert (account.offered, 0) == (account.sampled_out + ended, account.in_flight)
    assert evidence.account.diverged >= sum(kept)


@pytest.fixture
def nursery(python):
    """Starts a process that is written to."""

    def start(program, *words):
        return python(program, *words, stdin=True)

    return start


def test_no_record_that_was_kept_is_lost_by_kill_9(nursery, tmp_path):
    """A process that never came to write leaves its counters and records in its ring, and a sibling writes them."""
    assert check_deaths(nursery, tmp_path, 25) > 100
    assert [] == list((tmp_path / "ledger.db.rings").glob("*.ring"))


@pytest.mark.soak
def test_a_thousand_deaths_lose_nothing(nursery, tmp_path):
    """The same, a thousand times."""
    assert check_deaths(nursery, tmp_path, 1_000) > 4_000


def test_a_block_survives_kill_9(python, tmp_path):
    """A divergence that was written keeps its candidate blocked after the process that found it was killed."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    process = python(BUSY, url)
    assert "busy" == process.stdout.readline().strip()
    process.kill()
    process.wait(DEADLINE_S)
    ledger = Ledger.open(url, flush_seconds=None)
    assert ledger.divergences()[0]["fingerprint"] == ledger.blocked("feature", "build-1")


def test_forked_children_are_processes_of_their_own(python, tmp_path):
    """Three children write by themselves one call each and none of their parent's, and the parent goes on."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    assert 0 == python(FORKING, url).wait(DEADLINE_S)
    assert 9 == Ledger.open(url, flush_seconds=None).status()["features"]["feature"]["offered"]


def test_forked_workers_that_are_killed_lose_nothing(python, tmp_path):
    """Whether or not they had written: what they have counted is in a ring of their own, for every feature."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    assert 0 == python(WORKERS, url).wait(DEADLINE_S)
    ledger = Ledger.open(url, flush_seconds=None)
    ledger.recover()

    assert {f"feature_{number}": (2, 2) for number in range(8)} == {
        name: (it["offered"], it["matched"]) for name, it in ledger.status()["features"].items()
    }


def test_a_program_that_ends_has_written_everything(python, tmp_path):
    """The last call of a program is compared and written before the process is gone."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    assert 0 == python(ENDING, url).wait(DEADLINE_S)
    feature = Ledger.open(url, flush_seconds=None).status()["features"]["feature"]
    assert (1, 1, {}) == (feature["offered"], feature["matched"], feature["shed"])
