"""`fast-litellm demo`: the life of a feature, played on real calls through LiteLLM."""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Callable

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

import fast_litellm
from fast_litellm import settings
from fast_litellm.cli import console, scratch
from fast_litellm.cli.demo import logbook, report, server
from fast_litellm.cli.demo.acts import ACTS
from fast_litellm.cli.demo.client import Client
from fast_litellm.cli.demo.stage import FEATURE, Stage
from fast_litellm.cli.reference import import_litellm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import TaskID

    from fast_litellm.cli.demo.acts import Act, Report

DEFAULT_CALLS = 2_000

# With fewer, an act may miss a kind of traffic or a side of the canary.
_FEWEST_CALLS = 200


@click.command(name="demo")
@click.option(
    "--calls",
    type=click.IntRange(min=_FEWEST_CALLS),
    default=DEFAULT_CALLS,
    show_default=True,
    help="Calls to send through LiteLLM, over all acts.",
)
@console.json_option
def command(calls: int, as_json: bool) -> None:
    """
    Play the life of a feature on real calls through LiteLLM.

    An OpenAI-compatible server on loopback answers; nothing leaves this machine. Token counting goes from off through
    shadow, a deliberately wrong candidate and a canary of 10 percent to on. Each act is checked against the counters.
    """
    environment = settings.read()
    _refuse_overrides(environment)
    _refuse_fleet(environment)
    started = time.monotonic()
    reports = list(_play(calls))
    sent = sum(one.calls for one in reports)
    summary = report.Summary(reports, sent, time.monotonic() - started, environment.ledger)
    if as_json:
        console.print_json(report.document(summary))
    else:
        report.show(summary)
    if not summary.ok:
        console.fail("an act did not do what it says")
    console.hint("the evidence is kept: `fast-litellm status`, `fast-litellm divergences`")


def _refuse_overrides(environment: settings.Settings) -> None:
    if environment.disable:
        console.fail("FAST_LITELLM_DISABLE is set, so nothing would be routed", "unset it for the demo")
    if FEATURE in environment.flag_overrides:
        name = f"{settings.FLAG_PREFIX}{FEATURE.upper()}"
        console.fail(f"{name} is set and would overrule every act", f"unset {name} for the demo")


def _refuse_fleet(environment: settings.Settings) -> None:
    if not environment.ledger.startswith("sqlite"):
        console.fail(
            "FAST_LITELLM_LEDGER names a ledger that many hosts share, and the demo's wrong candidate would be in it",
            "unset it for the demo, or name a file: FAST_LITELLM_LEDGER=sqlite:///demo.db",
        )


def _refuse_unknown_reference() -> None:
    unknown = [seam for seam in fast_litellm.doctor()["seams"] if seam["feature"] == FEATURE and not seam["known"]]
    if unknown:
        console.fail(
            "this LiteLLM's source is not one the candidate is known to equal, so Python would answer every act",
            "`fast-litellm doctor` says which releases are known",
        )


def _play(calls: int) -> Iterator[Report]:
    console.say("importing LiteLLM and starting a server on loopback")
    litellm = import_litellm()
    _refuse_unknown_reference()
    with ExitStack() as stack:
        pages = stack.enter_context(logbook.keeping())
        directory = stack.enter_context(scratch.directory("demo"))
        client = stack.enter_context(closing(Client(litellm, stack.enter_context(server.running()))))
        stack.callback(fast_litellm.uninstall)
        progress = stack.enter_context(_progress())
        task = progress.add_task("", total=calls)
        stage = Stage(litellm, client, directory / "rollout.yaml", _advancer(progress, task))
        for act, count in _shares(calls):
            progress.update(task, description=act.name)
            yield act.play(stage, pages, count)


def _shares(calls: int) -> Iterator[tuple[Act, int]]:
    """The acts with their calls; the last act takes what rounding left over."""
    remaining = calls
    for act in ACTS[:-1]:
        count = int(calls * act.share)
        remaining -= count
        yield act, count
    yield ACTS[-1], remaining


def _advancer(progress: Progress, task: TaskID) -> Callable[[], None]:
    return lambda: progress.advance(task)


def _progress() -> Progress:
    columns = (TextColumn("{task.description:<16}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console.talk())
