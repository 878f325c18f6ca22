"""What every test starts from."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest
import structlog
from hypothesis import is_hypothesis_test, settings

from fast_litellm import events
from fast_litellm.shadow import machinery

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # LiteLLM fetches its price list when it is imported
settings.register_profile("unhurried", deadline=None)  # how long an example takes says more of the machine than of it
settings.load_profile("unhurried")
EXAMPLES_S = 1_800


def pytest_collection_modifyitems(items):
    """
    Gives tests of many examples the time that a busy machine takes. A timeout in the middle of an example would not be
    told as one: Hypothesis repeats the example, finds that it now goes on, and calls the strategy flaky.
    """
    for item in items:
        if is_hypothesis_test(getattr(item, "function", None)):
            item.add_marker(pytest.mark.timeout(EXAMPLES_S))


@pytest.fixture(scope="session", autouse=True)
def away_from_the_checkout(tmp_path_factory):
    """A process started in the checkout would import the sources there, which have no compiled part."""
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("elsewhere"))
    yield
    os.chdir(before)


@pytest.fixture(autouse=True)
def own_directory(tmp_path, monkeypatch):
    """Run in an empty directory, with a ledger and settings of the test's own."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("FAST_LITELLM_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("FAST_LITELLM_LEDGER", f"sqlite:///{tmp_path / 'ledger.db'}")
    monkeypatch.setenv("FAST_LITELLM_STATE", str(tmp_path / "state"))


@pytest.fixture(autouse=True)
def nothing_has_failed_yet():
    """What a process counts of its own failures is a test's own."""
    events.lost.clear()
    machinery.forget()


@pytest.fixture
def no_thread_starts(monkeypatch):
    """From when it is called, starting a thread raises what the interpreter would say: at exit, or without room."""

    def begin(says):
        def start(_thread):
            raise RuntimeError(says)

        monkeypatch.setattr(threading.Thread, "start", start)

    return begin


@pytest.fixture(autouse=True)
def unconfigured_structlog():
    """A test that captures logs configures structlog; the next one finds it as a program without logging does."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def late():
    """
    A signal that comes while something works, as a time limit does: called with anything, it comes, and the program's
    handler raises `late.error`.
    """

    class LateError(Exception):
        pass

    def handle(*_):
        raise LateError

    def come(*_args, **_kwargs):
        signal.raise_signal(signal.SIGTERM)

    come.error = LateError
    before = signal.signal(signal.SIGTERM, handle)
    yield come
    signal.signal(signal.SIGTERM, before)
