"""`fast-litellm show CLASS`: both sides of one divergence class, redacted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fast_litellm.cli import console, evidence

if TYPE_CHECKING:
    from collections.abc import Mapping

_NS_PER_US = 1_000


@click.command(name="show")
@click.argument("name", metavar="CLASS")
@console.json_option
def command(name: str, as_json: bool) -> None:
    """
    Print one divergence class with its samples.

    CLASS is the beginning of a fingerprint, as `fast-litellm divergences` lists them.
    """
    found = evidence.ledger().show(name)
    if as_json:
        console.print_json(found)
        return
    console.write(f"divergence class {found['fingerprint']}\n")
    console.print_fields(
        {
            "feature": found["feature"],
            "difference": f"{found['kind']} at {found['pattern']}",
            "state": found["state"],
            "seen": f"{found['count']:,} times in {found['processes']} process(es)",
            "first seen": f"{evidence.moment(found['first_seen'])} UTC",
            "last seen": f"{evidence.moment(found['last_seen'])} UTC",
            "candidate": found["candidate_build"],
            "comparator": found["comparator"],
        }
    )
    for number, sample in enumerate(found["samples"], 1):
        _show_sample(f"sample {number} of {len(found['samples'])}, at {sample['path']}", sample)


def _show_sample(title: str, sample: Mapping[str, Any]) -> None:
    sides = ("control", "candidate")
    table = console.table(("", *sides), title=title)
    for row in ("outcome", "type", "length", "safe_value", "digest"):
        table.add_row(row.replace("safe_value", "value"), *(_cell(sample[side][row]) for side in sides))
    table.add_row("took", *(f"{sample[f'{side}_ns'] / _NS_PER_US:,.1f} us" for side in sides))
    out = console.output()
    out.print()
    out.print(table)
    again = "yes" if sample["confirmed_on_rerun"] else "no"
    console.write(f"differed again when both ran again: {again}; action: {sample['action']}")


def _cell(value: object) -> str:
    return "-" if value is None or value == "" else str(value)
