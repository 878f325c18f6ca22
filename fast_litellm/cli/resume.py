"""`fast-litellm resume FEATURE`: the rules decide again."""

from __future__ import annotations

import click

from fast_litellm.cli import console, evidence, pause


@click.command(name="resume")
@pause.order_options
def command(order: pause.Order) -> None:
    """
    Take back what stopped a feature: a pause, or a guard's trip.

    With --scope host on this host, with --scope fleet in every process that uses the same ledger; neither takes back
    the other. A candidate that the ledger has blocked because it differed stays blocked.
    """
    if order.is_needless():
        console.write(f"{order.feature} was not paused{pause.reach(order)}: nothing is changed")
    else:
        order.carry_out("running", f"{order.feature} is resumed{pause.reach(order)}: the rules decide")
    if order.scope == "host" and order.feature in evidence.opened().pauses():
        console.hint(f"the fleet has paused it, too: `fast-litellm resume {order.feature} --scope fleet`")
