"""What the commands share that look at a feature's rollout and move it: the rules, the position, who and why."""

from __future__ import annotations

import functools
import getpass
import time
from pathlib import Path
from typing import Any, Callable, TypeVar

import click

from fast_litellm import settings
from fast_litellm.accel import promotion
from fast_litellm.accel.promotion import Order, Position
from fast_litellm.cli import console, evidence, names
from fast_litellm.errors import RuleError
from fast_litellm.flags import FlagManager

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

config_option = click.option(
    "--config", type=click.Path(path_type=Path), help="The rule file; else the one FAST_LITELLM_CONFIG names."
)

_LONGEST_TEXT = 1_000
"""Of what the trail keeps for ever, and tables show."""


def _said(_context: click.Context, option: click.Parameter, text: str | None) -> str | None:
    """An entry of the trail that says nothing is worth as much as none, and nothing is cut behind anybody's back."""
    if text is not None and not text.strip():
        raise click.BadParameter(f"expected {'a name' if option.name == 'actor' else 'a reason'}, got nothing")
    if text is not None and len(text) > _LONGEST_TEXT:
        raise click.BadParameter(f"expected at most {_LONGEST_TEXT:,} characters, got {len(text):,}")
    return text


def reason_option(*, required: bool) -> Callable[[Decorated], Decorated]:
    """
    Returns:
        A decorator for a command: why, as the argument `reason`; None where it may be left out and is.
    """
    return click.option("--reason", required=required, callback=_said, help="Why, for the audit trail.")


actor_option = click.option(
    "--by",
    "actor",
    callback=_said,
    metavar="NAME",
    help="Who, for the audit trail.  [default: the system's user]",
)


def rules(config: Path | None, feature: str) -> FlagManager:
    """
    Args:
        config: The rule file; else the environment's, else the default rules.
        feature: The flag's name, which the default rules declare.

    Returns:
        The rules, with the steps that the ledger knows.

    Raises:
        RuleError: They cannot be used.
    """
    environment = settings.read()
    found = config or environment.config
    if found is None:
        return FlagManager.default([feature], overrides=environment.flag_overrides)
    return FlagManager.from_file(found, overrides=environment.flag_overrides, scope="process")


def rules_if_usable(config: Path | None, feature: str) -> FlagManager:
    """
    Returns:
        The rules as `rules` finds them; the default ones in the place of a rule file that has a mistake, which is said.
    """
    try:
        return rules(config, feature)
    except RuleError as error:
        console.error(str(error))
        console.say("the trail will hold what the default gate says, in the place of the file's")
        return FlagManager.default([feature])


def order_options(
    function: Callable[..., None], find: Callable[[Path | None, str], FlagManager] = rules
) -> Callable[..., None]:
    """
    Args:
        function: The command.
        find: Finds its rules.

    Returns:
        The command with FEATURE, --reason, --by and --config, as the arguments `feature`, `order` and `manager`.
    """

    @click.argument("feature", metavar="FEATURE")
    @reason_option(required=True)
    @actor_option
    @config_option
    @functools.wraps(function)
    def command(*, feature: str, reason: str, actor: str | None, config: Path | None, **rest: Any) -> None:
        names.check(feature, config)
        order = Order(actor or user(), reason, time.time())
        function(feature=feature, order=order, manager=find(config, feature), **rest)

    return command


def position(ledger: Any, manager: FlagManager, feature: str) -> Position:
    """
    Returns:
        Where a feature stands. Without any evidence the command ends here.
    """
    found = promotion.assess(ledger, feature, manager.plan(feature), manager.gate(feature), time.time())
    if found is None:
        console.fail(
            f"no comparison of {feature} in {evidence.address()}",
            "`fast-litellm status` says which features have been compared",
        )
    return found


def step_named(position: Position, name: str) -> int:
    """
    Returns:
        The index of a step that somebody has named. One that is not in the plan ends the command.
    """
    found = position.plan.position(name)
    if found is None:
        known = ", ".join(step.name for step in position.plan.steps)
        console.fail(f"the plan of {position.feature} has the steps {known}, not {name}", exit_code=2)
    return found


def check_follows(manager: FlagManager, position: Position, step: int) -> None:
    """Ends the command when the rules would not take the step: what changes nothing must not look like a promotion."""
    manager.apply_rollouts({position.feature: step})
    if not manager.follows_plan(position.feature):
        console.fail(
            f"the rules decide for {position.feature} without its plan, at stage {manager.stage(position.feature)}",
            "take `stage`, `otherwise`, `enabled: false` or the override away, so that the plan decides",
        )


def on_this_host(feature: str) -> str:
    """
    Returns:
        What stops a feature while the ledger cannot be had, for a hint.
    """
    return f"`fast-litellm pause {feature}` stops it on this host, with or without the ledger"


def user() -> str:
    """
    Returns:
        The name of whoever runs the command.
    """
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a user without a name
        return "unknown"
