"""`fast-litellm rollback FEATURE`: back to the first step of its plan, where it stays until a person moves it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import click

from fast_litellm.accel import promotion
from fast_litellm.cli import console, evidence, moves
from fast_litellm.errors import LedgerError

if TYPE_CHECKING:
    from fast_litellm.accel.promotion import Order
    from fast_litellm.flags import FlagManager


@click.command(name="rollback")
@functools.partial(moves.order_options, find=moves.rules_if_usable)
def command(feature: str, order: Order, manager: FlagManager) -> None:
    """
    Take a feature back to the first step of its plan.

    Python answers, and calls go on being compared, also while the rule file has a mistake. Every process that uses the
    ledger follows within two seconds; to stop a feature on this host without the ledger, use `fast-litellm pause`.
    Automatic advance stays away from it until somebody promotes it.
    """
    try:
        ledger: Any = evidence.ledger()
        position = moves.position(ledger, manager, feature)
        promotion.roll_back(ledger, position, order)
    except LedgerError as error:
        console.fail(
            f"nothing was changed: {error}",
            f"`fast-litellm pause {feature}` stops it on this host, with or without the ledger",
        )
    first = position.plan.steps[0].name
    console.write(f"{feature} is back at {first}: all that use {evidence.address()} follow")
