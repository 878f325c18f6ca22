"""`fast-litellm divergences`: the classes of differences found so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fast_litellm.cli import console, evidence

if TYPE_CHECKING:
    from collections.abc import Mapping

# As many digits of a fingerprint as tell the classes of one ledger apart; `show` accepts any beginning.
_DIGITS = 8


@click.command(name="divergences")
@click.argument("feature", required=False)
@console.json_option
def command(feature: str | None, as_json: bool) -> None:
    """
    List the classes of differences, the last seen first.

    All divergences with one fingerprint are one finding. Nothing of the calls themselves is kept: types, lengths and
    keyed digests only.
    """
    found = evidence.ledger().divergences(feature)
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


def _difference(record: Mapping[str, Any]) -> str:
    types = f"{record['control_type'] or 'nothing'} -> {record['candidate_type'] or 'nothing'}"
    return f"{record['kind']} at {record['pattern']}\n{types}"
