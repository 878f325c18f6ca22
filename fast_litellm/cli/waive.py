"""`fast-litellm waive FEATURE FINGERPRINT`: accept a divergence class, for a time and with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fast_litellm.cli import console, evidence, moves
from fast_litellm.cli.pause import seconds_option
from fast_litellm.shadow.waivers import Waiver

if TYPE_CHECKING:
    from fast_litellm.accel.promotion import Order
    from fast_litellm.flags import FlagManager

_DEFAULT_SECONDS = 30 * 86_400.0


@click.command(name="waive")
@moves.order_options
@click.argument("fingerprint", metavar="FINGERPRINT")
@seconds_option("--for", "seconds", "How long it is accepted, such as 12h or 90d.  [default: 30d]")
@click.option("--most", type=click.IntRange(min=1), metavar="N", help="It ends when the class has more comparisons.")
def command(
    feature: str, fingerprint: str, order: Order, manager: FlagManager, seconds: float | None, most: int | None
) -> None:
    """
    Accept a divergence class of a feature: the gate no longer holds it against the candidate.

    FINGERPRINT may be shortened. When no class is left that speaks against the blocked build, it is released: it goes
    on from the first step of its plan.
    """
    ledger: Any = evidence.ledger()
    record = ledger.show(fingerprint)
    if record["feature"] != feature:
        console.fail(f"{record['fingerprint']} is a class of {record['feature']}, not of {feature}", exit_code=2)
    expires_at = order.at + (_DEFAULT_SECONDS if seconds is None else seconds)
    ledger.record_waiver(Waiver(record["fingerprint"], feature, order.actor, order.reason, expires_at, most))
    console.write(f"{record['fingerprint']} is accepted until {evidence.moment(expires_at)} UTC")
    _release(ledger, manager, feature, order)


def _release(ledger: Any, manager: FlagManager, feature: str, order: Order) -> None:
    position = moves.position(ledger, manager, feature)
    open_classes = [each for each in position.evidence.classes if each.state != "noise" and not each.is_waived]
    if ledger.blocked(feature, position.build) is None:
        return
    if open_classes:
        console.write(f"{feature} stays blocked: {len(open_classes)} more classes speak against this build")
        return
    ledger.record_transition(feature, position.build, "released", actor=order.actor, reason=order.reason)
    console.write(f"{feature} is released")
