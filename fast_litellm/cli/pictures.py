"""The picture that `report`, `dashboard` and `metrics` show: one ledger, seen at one moment."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Callable

from fast_litellm import settings
from fast_litellm.accel import promotion
from fast_litellm.cli import console, evidence, names
from fast_litellm.errors import RuleError
from fast_litellm.flags import FlagManager
from fast_litellm.shadow import checks
from fast_litellm.shadow.dashboard.judgement import Judgement
from fast_litellm.shadow.dashboard.picture import take
from fast_litellm.shadow.policy import Policy

if TYPE_CHECKING:
    from fast_litellm.accel.promotion import Position
    from fast_litellm.shadow.dashboard.model import Picture
    from fast_litellm.shadow.history import History


def camera() -> Callable[[], Picture]:
    """
    Returns:
        Takes a picture of the ledger whenever it is called; of one that cannot be read it says so. One that is not
        there may come later.

    Raises:
        LedgerError: The address names no ledger.
        RuleError: The environment cannot be read.
    """
    ledger, address, manager = evidence.opened(), evidence.address(), _rules()

    def picture() -> Picture:
        manager.poll()
        plans = {name: [step.name for step in manager.plan(name).steps] for name in manager.status()["flags"]}
        return take(ledger, address, time.time(), plans, lambda name: _judgement(ledger, manager, name))

    return picture


def _rules() -> FlagManager:
    """A rule file that cannot be used is no reason to show nothing: the default plan and gate hold then."""
    environment = settings.read()
    if environment.config is not None:
        try:
            return FlagManager.from_file(environment.config, scope="process")
        except RuleError:
            console.say(f"{environment.config} cannot be used: the gate asks for what it asks without it")
    return FlagManager.default([])


def _judgement(ledger: History, manager: FlagManager, name: str) -> Judgement | None:
    position = promotion.assess(ledger, name, manager.plan(name), manager.gate(name), time.time())
    return None if position is None else _judged(position, Policy.of(manager.gate(name)))


def _judged(position: Position, policy: Policy) -> Judgement:
    found, verdict, latency = position.evidence, position.verdict, policy.latency
    timings = found.timings
    return Judgement(
        evidence=found,
        decision=verdict.decision,
        checks=verdict.checks,
        certified=verdict.certified,
        bound=policy.divergence.upper(*checks.differing_of_distinct(found)),
        target=policy.divergence.rate,
        alpha=policy.divergence.alpha,
        needed=(policy.cells.further(0, 0), policy.pairs.further(0, 0)),
        faster=(0.0, 1.0) if latency is None else latency.interval(timings.faster, timings.pairs),
        step=position.plan.steps[position.step].name,
    )


def current(feature: str | None = None) -> Picture:
    """
    Args:
        feature: The one to show; None shows all.

    Returns:
        The picture; of a ledger that cannot be read, or was named and is not there, it says so.

    Raises:
        CommandFailed: Nobody knows the feature, or the ledger does not.
        LedgerError: The address names no ledger.
        RuleError: The environment cannot be read.
    """
    if feature is not None:
        names.check(feature)
    picture = camera()()
    if evidence.absence():
        return replace(picture, problem=f"there is no {picture.ledger} yet")
    if feature is None or not picture.features:
        return picture
    found = tuple(one for one in picture.features if one.name == feature)
    if not found:
        there = ", ".join(one.name for one in picture.features)
        console.fail(f"{picture.ledger} knows no feature {feature!r}", f"it has {there}")
    return replace(picture, features=found)
