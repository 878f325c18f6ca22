"""`fast-litellm promote FEATURE`: the next step of its plan, if the gate opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fast_litellm.accel import promotion
from fast_litellm.cli import console, evidence, moves

if TYPE_CHECKING:
    from fast_litellm.accel.promotion import Order
    from fast_litellm.flags import FlagManager


@click.command(name="promote")
@moves.order_options
@click.option("--to", "name", metavar="STEP", help="A step of the plan, such as 5%.  [default: the next one]")
@click.option("--force", "is_forced", is_flag=True, help="Do it against the gate, or past the next step. It is noted.")
def command(feature: str, order: Order, manager: FlagManager, name: str | None, *, is_forced: bool) -> None:
    """
    Take a feature to the next step of its plan.

    The gate must open: `fast-litellm gate FEATURE` says what it still takes. From the new step on the candidate answers
    its share of the units, and of their calls those whose shape is proven. Every process that uses the ledger follows
    within two seconds. The trail keeps who did it, why, and what the gate had said.
    """
    ledger: Any = evidence.ledger()
    position = moves.position(ledger, manager, feature)
    step = position.next if name is None else moves.step_named(position, name)
    if step is None:
        console.fail(f"{feature} is at the last step of its plan already")
    moves.check_follows(manager, position, step)
    rollout = promotion.promote(ledger, position, step, order, is_forced=is_forced)
    cells = f", for {len(rollout.certified)} certified cells" if step else ""
    console.write(f"{feature} is at {position.plan.steps[step].name}{cells}: all that use {evidence.address()} follow")
