"""Processes that fork, and processes that are killed."""

from __future__ import annotations

from fast_litellm.shadow import Ledger

DEADLINE_S = 30
ROUNDS = 6

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


def test_a_program_that_ends_has_written_everything(python, tmp_path):
    """The last call of a program is compared and written before the process is gone."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    assert 0 == python(ENDING, url).wait(DEADLINE_S)
    feature = Ledger.open(url, flush_seconds=None).status()["features"]["feature"]
    assert (1, 1, {}) == (feature["offered"], feature["matched"], feature["shed"])
