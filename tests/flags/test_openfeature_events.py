"""
Events of our provider: section 5 of the specification, and the scenarios of its provider conformance suite.

Numbers in brackets are requirements of https://openfeature.dev/specification.
"""

from __future__ import annotations

import os
import queue
import signal
import threading

import pytest
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import ProviderEvent
from openfeature.flag_evaluation import Reason
from openfeature.provider import ProviderStatus

from fast_litellm.flags import FlagManager
from fast_litellm.flags.openfeature import FastLitellmProvider

from .conftest import HALF, ON, TENTH

BROKEN = "version: 1\nflags: {parser: {otherwise: [}}\n"
READY, CHANGED = ProviderEvent.PROVIDER_READY, ProviderEvent.PROVIDER_CONFIGURATION_CHANGED
STALE, FAILED = ProviderEvent.PROVIDER_STALE, ProviderEvent.PROVIDER_ERROR


class Handlers:
    """Handlers for each event of a client, each with a queue of what it was handed."""

    def __init__(self, client):
        self.queues = {}
        for event in (READY, CHANGED, STALE, FAILED):
            self.queues[event] = queue.Queue()
            client.add_handler(event, self.queues[event].put)

    def next(self, event):
        """Waits for an event."""
        return self.queues[event].get(timeout=30)

    def waiting(self):
        """Counts the events nobody has taken."""
        return {event.name: pending.qsize() for event, pending in self.queues.items() if pending.qsize()}


@pytest.fixture
def manager(rules):
    """A manager that reads its file when it is told to, so that a test knows when."""
    manager = FlagManager.from_file(rules)
    manager.watch = lambda: None
    return manager


@pytest.fixture
def client(manager):
    """A client of its provider."""
    api.set_provider_and_wait(FastLitellmProvider(manager), "events")
    yield api.get_client("events")
    api.shutdown()


@pytest.fixture
def handlers(client):
    """Handlers that have seen the provider become ready."""
    handlers = Handlers(client)
    handlers.next(READY)
    return handlers


def value(client):
    """Asks for the flag that the files of these tests differ in."""
    return client.get_string_details("parser", "unset", EvaluationContext("u-1"))


def test_a_handler_added_later_hears_that_the_provider_is_ready(client):
    """Initialization ends in READY, and who comes late is told at once (5.3.1, 5.3.3)."""
    assert "fast-litellm" == Handlers(client).next(READY).provider_name
    assert ProviderStatus.READY == client.get_provider_status()


def test_a_change_is_signalled_and_applied(rules, manager, client, handlers):
    """CONFIGURATION_CHANGED names the flag, and the next answer is another one (5.1.1, 5.1.2, 5.2.3)."""
    before = value(client).value
    rules.write_text(ON)
    manager.reload()
    event = handlers.next(CHANGED)

    assert (["parser"], "fast-litellm") == (event.flags_changed, event.provider_name)
    assert ("python", "rust") == (before, value(client).value)


def test_a_rejected_file_makes_stale_and_a_good_one_ready(rules, manager, client, handlers):
    """STALE once, however often the file is rejected; READY when it is mended; the last good rules answer meanwhile."""
    rules.write_text(BROKEN)
    manager.reload()
    stale = handlers.next(STALE)
    manager.reload()
    answer = value(client)

    assert stale.message.startswith("the rule file has problems (1); the last good rules stay in force\n")
    assert (ProviderStatus.STALE, Reason.STALE, None) == (
        client.get_provider_status(),
        answer.reason,
        answer.error_code,
    )
    rules.write_text(TENTH)
    manager.reload()
    assert "the rules are what their file says again" == handlers.next(READY).message
    assert (ProviderStatus.READY, Reason.SPLIT, {}) == (
        client.get_provider_status(),
        value(client).reason,
        handlers.waiting(),
    )


def test_a_mended_file_may_bring_changes(rules, manager, handlers):
    """READY and CONFIGURATION_CHANGED come for the same reload."""
    for text in (BROKEN, HALF):
        rules.write_text(text)
        manager.reload()

    assert ["parser"] == handlers.next(CHANGED).flags_changed
    assert [None, None] == [handlers.next(event).flags_changed for event in (STALE, READY)]
    assert {} == handlers.waiting()


def test_a_block_is_a_change(manager, client, handlers):
    """What stops a feature at run time changes its flag, and so does what takes the stop back."""
    manager.block("parser", "diverged")
    blocked = handlers.next(CHANGED).flags_changed
    reason = value(client).reason
    manager.unblock("parser")

    assert (["parser"], ["parser"], Reason.DISABLED) == (blocked, handlers.next(CHANGED).flags_changed, reason)


def test_a_reload_without_a_difference_is_no_event(manager, handlers):
    """The file is what it was; the event that follows is the first."""
    manager.reload()
    manager.block("parser")

    assert ["parser"] == handlers.next(CHANGED).flags_changed
    assert {} == handlers.waiting()


def test_a_revision_without_a_difference_names_no_flag(rules, manager, handlers):
    """Who keeps an eye on revisions hears of it; nobody needs to ask a flag again."""
    rules.write_text(TENTH + "# a remark\n")
    manager.reload()

    assert [] == handlers.next(CHANGED).flags_changed


def test_rules_stale_from_the_beginning_are_told_at_the_next_reload(rules, manager):
    """The SDK announces READY after `initialize`, whatever the rules are; answers say STALE all along."""
    rules.write_text(BROKEN)
    manager.reload()
    api.set_provider_and_wait(FastLitellmProvider(manager), "late")
    client = api.get_client("late")
    handlers = Handlers(client)
    reason = value(client).reason
    manager.reload()

    assert (Reason.STALE, "fast-litellm") == (reason, handlers.next(STALE).provider_name)
    assert ProviderStatus.STALE == client.get_provider_status()
    api.shutdown()


def test_other_clients_hear_nothing(manager, handlers):
    """A client that is not associated with the provider gets none of its events (5.1.3)."""
    others = Handlers(api.get_client("another"))
    others.next(READY)
    manager.block("parser")

    assert ["parser"] == handlers.next(CHANGED).flags_changed
    assert {} == others.waiting()


def test_a_failing_handler_stops_nobody(manager, client, handlers, caplog):
    """Other handlers run (5.2.5), and whoever reloads the rules notices nothing."""
    failed = threading.Event()

    def fail(_):
        failed.set()
        raise RuntimeError

    client.add_handler(CHANGED, fail)
    manager.block("parser")

    assert ["parser"] == handlers.next(CHANGED).flags_changed
    assert failed.wait(30)
    assert "blocked" == manager.stage("parser")


def test_after_shutdown_there_are_no_events(manager):
    """Neither is there an error in the thread that reloads."""
    provider = FastLitellmProvider(manager)
    emitted = []
    provider.attach(lambda *event: emitted.append(event[1]))
    provider.initialize(EvaluationContext())
    manager.block("parser")
    provider.shutdown()
    manager.unblock("parser")

    assert [CHANGED] == emitted


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_fork_in_the_middle_of_an_announcement_blocks_no_child(manager):
    """The child's lock is its own: a reload there ends, although the parent's other thread held it while forking."""
    provider = FastLitellmProvider(manager)
    provider.initialize(EvaluationContext())
    held, release = threading.Event(), threading.Event()

    def hold():
        with provider._lock:
            held.set()
            release.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(60)
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        manager.block("parser")
        os._exit(0 if manager.stage("parser") == "blocked" else 1)
    release.set()
    thread.join(60)

    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
