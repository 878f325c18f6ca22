"""How much the ledger takes in: divergences kept, rows written, and comparisons counted, a second of processor time."""

from __future__ import annotations

import os
import time
from contextlib import closing
from typing import TYPE_CHECKING

from fast_litellm.accel.native import Shaper, Tally
from fast_litellm.cli import scratch
from fast_litellm.cli.bench.row import Figure
from fast_litellm.shadow import Epoch, Ledger, engine
from fast_litellm.shadow.observation import Comparison, Description, Summary

if TYPE_CHECKING:
    from collections.abc import Iterator

_CLASSES = 1_000
_SIGHTINGS = 10
_ROWS_A_CLASS = 2
_COMPARISONS = 100_000
_FEWEST, _SHARE_OF_ROUNDS = 3, 8
_EPOCH = Epoch("bench", "1", "reference", "exact/1", "revision")


def rows() -> Iterator[Figure]:
    """
    Yields:
        What one process can do; SQLite in a directory that goes away.
    """
    least = 10_000.0
    yield Figure("divergences kept", "per CPU second", least, lambda rounds: _in_sqlite(rounds, 0), is_least=True)
    yield Figure("ledger rows, SQLite", "per CPU second", least, lambda rounds: _in_sqlite(rounds, 1), is_least=True)
    yield Figure("comparisons counted", "per CPU second", least, _counted, is_least=True)


def _in_sqlite(rounds: int, index: int) -> list[float]:
    """The writer as it is, with the file's own guarantees; every round has a new file."""
    found = []
    for _ in range(_fewer(rounds)):
        with scratch.directory("bench") as directory:
            found.append(written(f"sqlite:///{directory / 'ledger.db'}")[index])
    return found


def written(url: str) -> tuple[float, float]:
    """
    Keep 10,000 divergences of 1,000 classes, and write them.

    Args:
        url: An empty ledger.

    Returns:
        Divergences a second, from the first until all are in the database; and rows a second, of the writing alone.
    """
    comparisons = [_comparison(number) for number in range(_CLASSES)] * _SIGHTINGS
    with closing(Ledger.open(url, flush_seconds=None)) as ledger:
        ledger.attach(_EPOCH, Tally())
        ledger.flush()  # its tables are made
        started = time.process_time()
        for comparison in comparisons:
            ledger.record(comparison)
        kept = time.process_time()
        if not ledger.flush():
            raise RuntimeError(f"{url} cannot be written")
        ended = time.process_time()
    return len(comparisons) / (ended - started), _CLASSES * _ROWS_A_CLASS / (ended - kept)


def _comparison(number: int) -> Comparison:
    fingerprint = f"{number:040x}"
    control, candidate = (Summary("value", "int", None, fingerprint[-8:], number + side) for side in range(2))
    description = Description("value", "$.usage", "$.usage", fingerprint, control=control, candidate=candidate)
    shape = {"model": "gpt", "size": "1k", "roles": "user", "unicode": "ascii"}
    return Comparison("bench", "1", "exact/1", "diverged", description, shape=shape, pid=os.getpid())


def _counted(rounds: int) -> list[float]:
    """What a comparison that matched leaves: its place in the account, in the mapped file, and its input's digest."""
    shape, native, found = Shaper("plain").shape(("word",), {}), engine.current(), []
    digests = [native.digest(bytes(16), number) for number in range(_COMPARISONS)]
    for _ in range(_fewer(rounds)):
        with scratch.directory("bench") as directory:
            tally = Tally()
            with closing(Ledger.open(f"sqlite:///{directory / 'ledger.db'}", flush_seconds=None)) as ledger:
                ledger.attach(_EPOCH, tally)
                started = time.process_time()
                for digest in digests:
                    tally.accept(shape).compare("matched", digest)
                found.append(_COMPARISONS / (time.process_time() - started))
    return found


def _fewer(rounds: int) -> int:
    return max(_FEWEST, rounds // _SHARE_OF_ROUNDS)
