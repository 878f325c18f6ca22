"""The demo's last words: one table, every claim that did not hold, and where the evidence is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from fast_litellm.cli import console

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from fast_litellm.cli.demo.acts import Report


@dataclass(frozen=True)
class Summary:
    """
    What a whole demo did.

    Args:
        reports: One for each act.
        calls: Calls sent through LiteLLM.
        seconds: How long it took.
        ledger: Where the evidence is.
    """

    reports: Sequence[Report]
    calls: int
    seconds: float
    ledger: str

    @property
    def ok(self) -> bool:
        """Whether every act did what it says."""
        return all(report.ok for report in self.reports)


def document(summary: Summary) -> dict[str, Any]:
    """
    Returns:
        The summary for `--json`.
    """
    return {
        "ok": summary.ok,
        "acts": [_act(report) for report in summary.reports],
        "calls": summary.calls,
        "seconds": round(summary.seconds, 1),
        "ledger": summary.ledger,
    }


def _act(report: Report) -> dict[str, Any]:
    counters = report.counters
    return {
        "name": report.name,
        "ok": report.ok,
        "calls": report.calls,
        "served": {"python": counters.python, "rust": counters.rust},
        "offered": counters.offered,
        "sampled_out": counters.sampled_out,
        "compared": counters.compared,
        "diverged": counters.diverged,
        "shed": dict(counters.shed),
        "in_flight": counters.in_flight,
        "declined": dict(counters.declined),
        "remark": report.remark,
        "checks": [asdict(check) for check in report.checks],
    }


def show(summary: Summary) -> None:
    """Print the summary on standard output."""
    console.output().print(_table(summary))
    console.write("")
    for report in summary.reports:
        console.write(f"{report.name}: {report.remark if report.ok else _broken(report)}")
    console.write("")
    console.write(f"{summary.calls:,} calls through LiteLLM in {summary.seconds:.0f} s; evidence in {summary.ledger}")


def _table(summary: Summary) -> Table:
    numbers = ("calls", "Python", "Rust", "compared", "differ", "shed")
    table = console.table(("act", *numbers, "as claimed"), numbers)
    for report in summary.reports:
        counters = report.counters
        counts = (report.calls, counters.python, counters.rust, counters.compared, counters.diverged)
        cells = (*counts, sum(counters.shed.values()))
        table.add_row(report.name, *(f"{cell:,}" for cell in cells), "yes" if report.ok else "NO")
    return table


def _broken(report: Report) -> str:
    broken = [f"{check.claim}: no, {check.found}" for check in report.checks if not check.holds]
    return "; ".join(broken)
