"""From the text of 1,000 flags to the first decision by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fast_litellm.cli.bench.row import Goal, Measure, Row, Statement
from fast_litellm.flags import Decision, engine, rule_file

if TYPE_CHECKING:
    from collections.abc import Iterator

_FLAGS = 1_000
_GOAL_NS = 20_000_000
_UNITS = 1_000

_FLAG = """\
  flag_{number}:
    owner: team-{number}
    expires: 2027-12-31
    rules:
      - name: staff
        when: {{attr: user, ends_with: "@example.com"}}
        serve: rust
      - name: beta
        when: {{segment: beta}}
        split: {{rust: 10, python: 90}}
    otherwise: {{split: {{rust: 5, python: 95}}}}
"""


def rows() -> Iterator[Row]:
    """
    Yields:
        Reading, checking and compiling a rule file of 1,000 flags, over doing nothing.
    """
    head = "version: 1\nsegments: {beta: {attr: team, in: [a, b]}}\nflags:\n"
    data = (head + "".join(_FLAG.format(number=number) for number in range(_FLAGS))).encode()
    yield Row(
        "load 1,000 flags",
        theirs=Statement("pass"),
        ours=Statement("load(data)", {"load": _load, "data": data}),
        goal=Goal(Measure.ADDED_NS, _GOAL_NS),
        difference=lambda: _difference(data),
        most_calls=1,
        is_wall_time=True,  # a thread of its own reads the text
    )


def _load(data: bytes) -> engine.SnapshotCell:
    return engine.current().SnapshotCell(rule_file.from_bytes(data, "bench"), "{}", Decision)


def _difference(data: bytes) -> str:
    """All flags must be there, and the last one must serve its share."""
    cell = _load(data)
    last = f"flag_{_FLAGS - 1}"
    served = sum(cell.serve(last, f"unit-{number}") == "rust" for number in range(_UNITS))
    if len(cell.stages()) != _FLAGS or not 0 < served < _UNITS // 5:
        return f"{len(cell.stages())} flags, {served} of {_UNITS} units served by {last}"
    return ""
