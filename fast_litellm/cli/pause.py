"""`fast-litellm pause FEATURE`: Python answers at once, on this host or everywhere, whatever the rules say."""

from __future__ import annotations

import functools
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, NoReturn

import click

from fast_litellm import settings
from fast_litellm.cli import console, evidence, moves, names
from fast_litellm.errors import LedgerError
from fast_litellm.flags.page import SharedPage, existing, is_there, path_of
from fast_litellm.flags.standing import described, word_until
from fast_litellm.shadow import Pause

_RUNNING = 0
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"([1-9]\d{0,8})([smhd])")
_LONGEST_DAYS = 36_500
"""What ends later than in a hundred years does not end, and calendars end soon after."""


@dataclass(frozen=True)
class Order:
    """
    What is asked for, by whom and why.

    Args:
        feature: The flag's name.
        scope: "host" or "fleet".
        config: The rule file that the processes of this host use; None when none is named.
        actor: Who asks.
        reason: Why.
    """

    feature: str
    scope: str
    config: Path | None
    actor: str
    reason: str

    def carry_out(self, state: str, done: str, until: float | None = None) -> None:
        """
        Stop or release the feature, and note it in the ledger.

        Args:
            state: "paused" or "running".
            done: What to say as soon as it is done; a ledger that is out of reach is waited for after that.
            until: When a pause ends by itself, in seconds since 1970.

        Raises:
            CommandFailed: It could not be done, or not be noted.
        """
        pause = Pause(self.feature, state, self.scope, self.actor, self.reason, until)
        if self.scope == "host":
            self._write_page(word_until(until) if state == "paused" else _RUNNING)
            console.write(done)
        try:
            evidence.opened().record_pause(pause)  # which begins a ledger that is not there
        except LedgerError as error:
            self._fail(state, error)
        if self.scope == "fleet":
            console.write(done)

    def _fail(self, state: str, error: LedgerError) -> NoReturn:
        hint = "name a ledger that can be written with FAST_LITELLM_LEDGER"
        if self.scope == "host":
            console.fail(f"that is not noted: {error}", hint)
        if state == "paused":
            hint = moves.on_this_host(self.feature)
        console.fail(f"nothing was changed: {error}", hint)

    def is_needless(self) -> bool:
        """Whether it would release what nobody has stopped; where that cannot be known it is carried out."""
        if self.scope == "host":
            return self.config is not None and not self._is_stopped_here(self.config)
        try:
            return self.feature not in evidence.opened().pauses()
        except LedgerError:
            return False

    def _is_stopped_here(self, config: Path) -> bool:
        page = existing(config)
        if page is None:
            return is_there(path_of(config))  # and cannot be used, which whoever writes it is told
        return described({"host": page.word(self.feature)}, time.time())["scope"] is not None

    def _write_page(self, word: int) -> None:
        if self.config is None:
            hint = "name it with --config or FAST_LITELLM_CONFIG, or use --scope fleet"
            console.fail("processes of one host are told by the name of their rule file, and none is known", hint)
        path = path_of(self.config)
        if not is_there(path):
            console.hint(f"no process of this user has used {self.config} by this path yet")
        try:
            written = SharedPage(path).native.stand(self.feature, word)
        except (OSError, ValueError) as error:
            console.fail(f"the page that this host's processes share cannot be used: {error}", "use --scope fleet")
        if not written:
            console.fail("the page that this host's processes share is full", "use --scope fleet")


def order_options(function: Callable[..., None]) -> Callable[..., None]:
    """
    Returns:
        The command with FEATURE and the options that `pause` and `resume` have in common, as the argument `order`.
    """

    @click.argument("feature", metavar="FEATURE")
    @moves.reason_option(required=False)
    @moves.actor_option
    @click.option(
        "--scope", type=click.Choice(["host", "fleet"]), default="host", show_default=True, help="Whom it reaches."
    )
    @click.option(
        "--config", type=click.Path(path_type=Path), help="The rule file; else the one FAST_LITELLM_CONFIG names."
    )
    @functools.wraps(function)
    def command(*, feature: str, scope: str, config: Path | None, **rest: Any) -> None:
        found = config or settings.read().config
        if scope == "fleet" or found is not None:  # a host without a rule file is told more than that
            names.check(feature, found)
        actor, reason = rest.pop("actor") or moves.user(), rest.pop("reason") or ""
        function(order=Order(feature, scope, found, actor, reason), **rest)

    return command


def seconds_option(name: str, about: str, *flags: str) -> Callable[..., Any]:
    """
    Returns:
        A decorator for a command: an option that takes a duration, as the argument `name` in seconds.
    """
    return click.option(
        *flags, name, callback=lambda _context, _option, text: _seconds(text), metavar="TIME", help=about
    )


@click.command(name="pause")
@order_options
@seconds_option("hold", "End by itself after so long, such as 90s, 10m, 2h or 1d.", "--hold")
def command(order: Order, hold: float | None) -> None:
    """
    Let Python answer every call of a feature, whatever the rules say.

    With --scope host the next decision of every process of this host and user that has the rule file by the same path
    is Python, also of those started later, for as long as the page lives in which they share it: in memory, until a
    reboot. Run it as the user whose processes are meant.

    With --scope fleet every process that uses the same ledger follows within two seconds, also after a reboot, and
    while the ledger is out of reach.

    The pause ends with `fast-litellm resume`. Who paused and why is kept in the ledger.
    """
    until = None if hold is None else time.time() + hold
    end = "" if until is None else f" until {evidence.moment(until)} UTC"
    order.carry_out("paused", f"{order.feature} is paused{reach(order)}{end}: Python answers every call", until)


def reach(order: Order) -> str:
    """
    Returns:
        Whom an order reaches, in words that follow a verb.
    """
    return f" on this host for {order.config}" if order.scope == "host" else f" for all that use {evidence.address()}"


def _seconds(text: str | None) -> float | None:
    found = _DURATION.fullmatch(text or "")
    if found is None and text is not None:
        raise click.BadParameter(f"expected a number and s, m, h or d, such as 10m, got {text!r}")
    seconds = None if found is None else float(int(found[1]) * _SECONDS[found[2]])
    if seconds is not None and seconds > _LONGEST_DAYS * _SECONDS["d"]:
        raise click.BadParameter(f"expected at most {_LONGEST_DAYS}d, got {text!r}")
    return seconds
