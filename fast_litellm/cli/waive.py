"""`fast-litellm waive FEATURE FINGERPRINT`: accept a divergence class, for a time and with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fast_litellm.accel import promotion
from fast_litellm.cli import console, evidence, moves
from fast_litellm.cli.pause import seconds_option
from fast_litellm.shadow.waivers import Waiver

if TYPE_CHECKING:
    from fast_litellm.accel.promotion import Order
    from fast_litellm.flags import FlagManager

_DEFAULT_SECONDS = 30 * 86_400.0
_UNNAMED = ("undescribed", "overflow")
"""Fingerprints under which differences are put that have no class of their own."""


@click.command(name="waive")
@moves.order_options
@click.argument("fingerprint", metavar="FINGERPRINT")
@seconds_option("seconds", "How long it is accepted, such as 12h or 90d.  [default: 30d]", "--for", "--expires")
@click.option("--most", type=click.IntRange(min=1), metavar="N", help="It ends when the class has more comparisons.")
def command(
    feature: str, fingerprint: str, order: Order, manager: FlagManager, seconds: float | None, most: int | None
) -> None:
    """
    Accept a divergence class of a feature: it blocks nothing any more, and takes no candidate back.

    FINGERPRINT may be shortened. While it is accepted, its differences are counted as waived. They stay differences:
    the gate counts them in the rate, so a class that is often met takes a higher `gate: {divergence: {rate: ...}}` in
    the rules. When nothing is left that speaks against a blocked build, it is released: it goes on from the first step
    of its plan. Another acceptance of the same class replaces this one.
    """
    ledger: Any = evidence.ledger()
    record = ledger.show(fingerprint)
    if record["feature"] != feature:
        console.fail(f"{record['fingerprint']} is a class of {record['feature']}, not of {feature}", exit_code=2)
    if record["fingerprint"] in _UNNAMED:
        console.fail("differences without a class of their own cannot be accepted: they may be anything", exit_code=2)
    expires_at = order.at + (_DEFAULT_SECONDS if seconds is None else seconds)
    ledger.record_waiver(Waiver(record["fingerprint"], feature, order.actor, order.reason, expires_at, most))
    console.write(f"{record['fingerprint']} is accepted until {evidence.moment(expires_at)} UTC")
    _release(ledger, manager, feature, order)


def _release(ledger: Any, manager: FlagManager, feature: str, order: Order) -> None:
    position = moves.position(ledger, manager, feature)
    if ledger.blocked(feature, position.build) is None:
        return
    against = [f"{check.name}: {check.saw}" for check in position.verdict.checks if check.is_terminal]
    if against:
        console.write(f"{feature} stays blocked, because more speaks against this build; {'; '.join(against)}")
        return
    promotion.release(ledger, position, order)
    console.write(f"{feature} is released, and begins with the first step of its plan")
