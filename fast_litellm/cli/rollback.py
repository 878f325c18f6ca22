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

_SERVING = ("canary", "on")


@click.command(name="rollback")
@functools.partial(moves.order_options, find=moves.rules_if_usable)
def command(feature: str, order: Order, manager: FlagManager) -> None:
    """
    Take a feature back to the first step of its plan.

    Python answers, and calls go on being compared, also while the rule file has a mistake. Every process that uses the
    ledger follows within two seconds; to stop a feature on this host without the ledger, use `fast-litellm pause`.
    Automatic advance stays away from it until somebody promotes it. Where the rules say the stage themselves, no plan
    decides: that is an error, with what stops the feature.
    """
    try:
        ledger: Any = evidence.ledger()
        position = moves.position(ledger, manager, feature)
        promotion.roll_back(ledger, position, order)
    except LedgerError as error:
        console.fail(f"nothing was changed: {error}", moves.on_this_host(feature))
    first, stage = position.plan.steps[0].name, ledger.status()["features"][feature]["stage"]
    if stage in _SERVING:
        console.fail(
            f"{feature} is noted as back at {first}, but stays at {stage}: its processes' rules decide without a plan",
            f"`fast-litellm pause {feature} --scope fleet` stops it at once, whatever the rules say",
        )
    console.write(f"{feature} is back at {first}: all that use {evidence.address()} follow")
