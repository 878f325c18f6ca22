"""`fast-litellm divergences`: the classes of differences found so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fast_litellm.cli import console, evidence, names

if TYPE_CHECKING:
    from collections.abc import Mapping

# As many digits of a fingerprint as tell the classes of one ledger apart; `show` accepts any beginning.
_DIGITS = 8
_WEIGHT = {"confirmed": 0, "new": 1, "waived": 2, "noise": 3}
_CELLS_SHOWN = 2


@click.command(name="divergences")
@click.argument("feature", required=False)
@console.json_option
def command(feature: str | None, as_json: bool) -> None:
    """
    List the classes of differences, those that matter most first: confirmed before new before waived, then by count.

    All divergences with one fingerprint are one finding. Nothing of the calls themselves is kept: types, lengths and
    keyed digests only.
    """
    ledger = evidence.ledger()
    if feature is not None:
        names.check(feature)
    found = sorted(ledger.divergences(feature), key=impact)
    if as_json:
        console.print_json({"divergences": found})
        return
    if not found:
        evidence.say_empty("no divergence" if feature is None else f"no divergence of {feature}")
        return
    table = console.table(("class", "feature", "difference", "state", "count", "last seen (UTC)"), numbers=("count",))
    for record in found:
        cells = (record["fingerprint"][:_DIGITS], record["feature"], _difference(record), record["state"])
        table.add_row(*cells, f"{record['count']:,}", evidence.moment(record["last_seen"]))
    console.output().print(table)
    console.hint("`fast-litellm show CLASS` prints both sides of one")


def impact(record: Mapping[str, Any]) -> tuple[int, int, float]:
    """
    Args:
        record: As `Ledger.divergences` returns it.

    Returns:
        A key that sorts what matters most first.
    """
    return _WEIGHT.get(record["state"], len(_WEIGHT)), -record["count"], -record["last_seen"]


def _difference(record: Mapping[str, Any]) -> str:
    types = f"{record['control_type'] or 'nothing'} -> {record['candidate_type'] or 'nothing'}"
    cells = list(record.get("cells", ()))
    more = f" and {len(cells) - _CELLS_SHOWN} more" if len(cells) > _CELLS_SHOWN else ""
    where = f"\nin {', '.join(cells[:_CELLS_SHOWN])}{more}" if cells else ""
    return f"{record['kind']} at {record['pattern']}\n{types}{where}"
