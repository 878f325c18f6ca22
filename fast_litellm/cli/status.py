"""`fast-litellm status`: what each feature has served, compared and seen differ, over all processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fast_litellm.cli import console, evidence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table


@click.command(name="status")
@console.json_option
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """
    Say what each feature has served, compared and seen differ.

    The counters come from the ledger and are added up over all processes. Exit status 3 when a feature is blocked.
    """
    status = evidence.ledger().status()
    features: dict[str, Any] = status["features"]
    if as_json:
        console.print_json(status)
    elif features:
        console.output().print(table(features))
    if not features:
        evidence.say_empty("no feature has done anything yet")
    blocked = [name for name, feature in features.items() if feature["stage"] == "blocked"]
    for name in blocked:
        console.error(f"{name} is blocked: Python answers every call")
        console.hint(f"see what differed with `fast-litellm divergences {name}`")
    if blocked:
        context.exit(evidence.EXIT_BLOCKED)


def table(features: Mapping[str, Mapping[str, Any]]) -> Table:
    """
    Args:
        features: As `Ledger.status` returns them.

    Returns:
        A table of 80 columns, three lines for each feature.
    """
    made = console.table(("feature", "stage", "served", "shadow", "state"))
    for name, feature in features.items():
        made.add_row(name, feature["stage"] or "unknown", _served(feature), _shadow(feature), _state(feature))
    return made


def _served(feature: Mapping[str, Any]) -> str:
    served: Mapping[str, int] = feature["served"]
    total = sum(served.values())
    sides = {"python": 0, "rust": 0, **served}
    return "\n".join(f"{count:,} {side}{_share(count, total)}" for side, count in sides.items())


def _share(count: int, total: int) -> str:
    return f" {count / total:.1%}" if total else ""


def _shadow(feature: Mapping[str, Any]) -> str:
    shed, sampled_out = sum(feature["shed"].values()), feature["sampled_out"]
    lines = [
        f"{feature['offered']:,} offered, {feature['compared']:,} compared",
        f"{feature['diverged']:,} diverged, {feature['waived']:,} waived",
        f"{shed:,} shed, {feature['in_flight']:,} in flight",
    ]
    return "\n".join([*lines, f"{sampled_out:,} sampled out"] if sampled_out else lines)


def _state(feature: Mapping[str, Any]) -> str:
    if feature["stage"] == "blocked":
        return "blocked"
    return "differs" if feature["diverged"] else "ok"
