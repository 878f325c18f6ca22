"""`fast-litellm show CLASS`: both sides of one divergence class, redacted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fast_litellm.cli import console, evidence

if TYPE_CHECKING:
    from collections.abc import Mapping

_NS_PER_US = 1_000
_DIGITS = 8
_SIDES = ("control", "candidate")
_NAMES = {"safe_value": "value", "frame": "raised in"}
_SAME = "="
_DIFFERENT = "!"


@click.command(name="show")
@click.argument("name", metavar="CLASS")
@console.json_option
def command(name: str, as_json: bool) -> None:
    """
    Print one divergence class with its samples.

    CLASS is the beginning of a fingerprint, as `fast-litellm divergences` lists them. A row that differs is marked with
    an exclamation mark. Nothing of a call itself is kept: types, lengths and keyed digests, of which equal ones mean
    equal content, and values only where the comparator says that they are never content.
    """
    found = evidence.ledger().show(name)
    if as_json:
        console.print_json(found)
        return
    console.write(f"divergence class {found['fingerprint']}\n")
    console.print_fields({name: value for name, value in _facts(found).items() if value})
    for number, sample in enumerate(found["samples"], 1):
        _show_sample(f"sample {number} of {len(found['samples'])}, at {sample['path']}", sample)
    short = found["fingerprint"][:_DIGITS]
    console.hint(
        f"`fast-litellm replay {short}` says whether it still differs, `minimise {short}` writes a failing test"
    )
    if found["state"] == "waived":
        return
    console.hint(
        f"accept it with `fast-litellm waive {found['feature']} {short} --reason WHY --for TIME`; another build starts "
        "afresh"
    )


def _facts(found: Mapping[str, Any]) -> dict[str, str]:
    hosts = f" on {found['hosts']:,} host(s)" if found.get("hosts") else ""
    return {
        "feature": found["feature"],
        "difference": f"{found['kind']} at {found['pattern']}",
        "types": f"{found['control_type'] or 'nothing'} -> {found['candidate_type'] or 'nothing'}",
        "state": found["state"],
        "seen": f"{found['count']:,} times in {found['processes']:,} process(es){hosts}",
        "first seen": f"{evidence.moment(found['first_seen'])} UTC",
        "last seen": f"{evidence.moment(found['last_seen'])} UTC",
        "cells": ", ".join(found.get("cells", ())),
        "candidate": found["candidate_build"],
        "comparator": found["comparator"],
        "captured": f"{found['captured']:,} sealed call(s)" if found["captured"] else "",
    }


def _show_sample(title: str, sample: Mapping[str, Any]) -> None:
    table = console.table(("", *_SIDES, ""), title=title)
    for row in ("outcome", "type", "length", "safe_value", "digest", "frame"):
        cells = [_cell(sample[side].get(row)) for side in _SIDES]
        table.add_row(_NAMES.get(row, row), *cells, _SAME if cells[0] == cells[1] else _DIFFERENT)
    table.add_row("took", *(f"{sample[f'{side}_ns'] / _NS_PER_US:,.1f} us" for side in _SIDES), "")
    out = console.output()
    out.print()
    out.print(table)
    console.print_fields({name: value for name, value in _circumstances(sample).items() if value})


def _circumstances(sample: Mapping[str, Any]) -> dict[str, str]:
    return {
        "by how much": _distance(*(sample[side]["safe_value"] for side in _SIDES)),
        "run again": "differed again" if sample["confirmed_on_rerun"] else "did not differ again",
        "control again": "differed from itself" if sample["control_rerun_differs"] else "",
        "note": sample.get("note", "").replace("_", " "),
        "action": sample["action"],
        "input": sample.get("input_digest", ""),
        "shape": ", ".join(f"{name}={value}" for name, value in sample.get("shape", {}).items()),
        "served": sample.get("served", ""),
        "ran": f"{sample['exec_path']}, {sample['order']}".replace("_", " ") if "order" in sample else "",
    }


def _distance(control: object, candidate: object) -> str:
    """Of two numbers that may be shown; a boolean is none."""
    if not all(type(value) in {int, float} for value in (control, candidate)):
        return ""
    difference = candidate - control  # type: ignore[operator]  # both are numbers
    share = f" ({difference / control:+.2%})" if control else ""
    return f"{difference:+,}{share}"


def _cell(value: object) -> str:
    return "-" if value is None or value == "" else str(value)
