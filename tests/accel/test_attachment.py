"""What stands at a seam, and what is said of it."""

from __future__ import annotations

import functools
import importlib
import json
import sqlite3
import sys
import threading

import pytest

import fast_litellm
from fast_litellm.accel import attachment, installation

litellm = pytest.importorskip("litellm")
core = pytest.importorskip("litellm.litellm_core_utils.token_counter")

MESSAGES = [{"role": "user", "content": "Hello"}]


@pytest.fixture(autouse=True)
def uninstalled():
    """Every test begins and ends uninstalled."""
    fast_litellm.uninstall()
    yield
    fast_litellm.uninstall()


@pytest.fixture
def rules(tmp_path):
    """Rules under which the candidate serves."""
    path = tmp_path / "rollout.yaml"
    path.write_text(json.dumps({"version": 1, "flags": {"token_counting": {"stage": "on"}}}), encoding="utf-8")
    return str(path)


@pytest.fixture
def reloads():
    """Reloads the module of the seam; afterwards it holds the objects it held before."""
    before = dict(vars(core))
    yield lambda: importlib.reload(core)
    fast_litellm.uninstall()
    vars(core).update(before)


def feature() -> dict:
    return fast_litellm.status()["features"]["token_counting"]


def said() -> list:
    """What doctor finds wrong with the feature."""
    return [problem for problem in fast_litellm.doctor()["problems"] if problem.startswith("token_counting is")]


def test_a_reloaded_module_is_not_called_patched(rules, reloads):
    """Its function is LiteLLM's own again, and status and doctor say so."""
    fast_litellm.install(rules)
    reloads()

    assert ("replaced", False) == (feature()["state"], feature()["patched"])
    assert ["token_counting is replaced: "] == [problem[:28] for problem in said()]


def test_a_reloaded_module_is_patched_again_with_the_rules(rules, reloads):
    """Whoever asks the module and whoever kept the earlier function are both served; all originals come back."""
    earlier = core.token_counter
    fast_litellm.install(rules)
    kept = core.token_counter
    reloads()
    fresh = core.token_counter
    installation._current.manager.reload()
    answers = [core.token_counter(model="gpt-4o", messages=MESSAGES), kept(model="gpt-4o", messages=MESSAGES)]
    served = feature()["served"]
    state = feature()["state"]
    fast_litellm.uninstall()

    assert ([earlier(model="gpt-4o", messages=MESSAGES)] * 2, "patched") == (answers, state)
    assert {"python": 0, "rust": 2} == served
    assert fresh is core.token_counter


def test_a_wrapper_put_on_later_is_left_alone(rules, monkeypatch):
    """A tool that wraps the dispatcher keeps its place, and calls go on through it."""
    fast_litellm.install(rules)
    dispatcher = core.token_counter
    monkeypatch.setattr(core, "token_counter", functools.partial(dispatcher))
    installation._current.manager.reload()
    core.token_counter(model="gpt-4o", messages=MESSAGES)

    assert ("replaced", {"python": 0, "rust": 1}) == (feature()["state"], feature()["served"])
    monkeypatch.undo()
    assert "patched" == feature()["state"]


def test_a_candidate_that_cannot_be_made_leaves_python(rules):
    """Installing goes on; the state and doctor name the class of what was raised."""
    before = core.token_counter

    def broken(_module, _semantics):
        raise ValueError("secret")

    fast_litellm.install(rules, candidates={"token_counting": broken})

    assert ("failed", False, "ValueError") == (feature()["state"], feature()["patched"], feature()["failure"])
    assert before is core.token_counter
    assert ["token_counting is failed (ValueError): the candidate could not be made, so Python answers"] == said()


def test_a_candidate_that_could_not_be_made_is_tried_again(rules):
    """The next change of the rules makes it, and the failure is forgotten."""
    tries = []
    original = installation.SEAMS[0].candidate

    def twice(module, semantics):
        tries.append(semantics)
        if len(tries) == 1:
            raise ValueError("secret")
        return original(module, semantics)

    fast_litellm.install(rules, candidates={"token_counting": twice})
    installation._current.manager.reload()

    assert ("patched", None, 2) == (feature()["state"], feature()["failure"], len(tries))
    assert [] == said()


def test_counters_go_on_through_installations(rules):
    """A process counts once, however often it installs."""
    for _ in range(2):
        fast_litellm.install(rules)
        core.token_counter(model="gpt-4o", messages=MESSAGES)

    assert {"python": 0, "rust": 2} == feature()["served"]


def test_a_locked_ledger_delays_an_installation_by_two_seconds_at_most(rules, tmp_path, monkeypatch):
    """Somebody who holds the database does not hold the program; doctor says what is not known for it."""
    waits, connect = [], sqlite3.dbapi2.connect

    def counted(*arguments, timeout, **options):
        if threading.current_thread() is threading.main_thread():
            waits.append(timeout)
        return connect(*arguments, timeout=0, **options)

    fast_litellm.install(rules)
    core.token_counter(model="gpt-4o", messages=MESSAGES)
    fast_litellm.uninstall()
    holder = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr(sqlite3.dbapi2, "connect", counted)
    fast_litellm.install(rules)
    problems = fast_litellm.doctor()["problems"]
    holder.close()

    assert 0 < sum(waits) <= 2
    assert "patched" == feature()["state"]
    assert any(problem.startswith("the ledger has not said yet whether token_counting") for problem in problems)


def test_a_misspelt_variable_is_a_problem(monkeypatch):
    """Doctor names it and the one that was meant."""
    monkeypatch.setenv("FAST_LITELLM_CONFGI", "rollout.yaml")
    problems = fast_litellm.doctor(litellm="1.106.2")["problems"]

    assert ["nothing reads the variable FAST_LITELLM_CONFGI; did you mean FAST_LITELLM_CONFIG?"] == problems


def test_whether_a_release_has_a_module_is_told_without_importing_it(tmp_path, monkeypatch):
    """A package around it may be large, and may ask for what is not installed."""
    package = tmp_path / "large_package"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError", encoding="utf-8")
    (package / "inner" / "__init__.py").write_text("raise AssertionError", encoding="utf-8")
    (package / "inner" / "module.py").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    names = (
        "large_package.inner.module",
        "large_package.inner.other",
        "large_package.other.module",
        "no_package.module",
    )

    assert [True, False, False, False] == [attachment.exists(name) for name in names]


DECORATING = """
import functools

def traced(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)
    return wrapper
"""
DECORATED = """
import functools
from decorating_package.inner import traced
from somebody_elses import traced as traced_elsewhere

def bare(): return 1

@traced
def decorated(): return 1

@traced_elsewhere
def foreign(): return 1

@traced
@traced_elsewhere
def foreign_inside(): return 1

@functools.lru_cache
def cached(): return 1
"""


@pytest.fixture
def decorated(tmp_path, monkeypatch):
    """A module of a package whose decorators are its own, and a module with one of somebody else's."""
    package = tmp_path / "decorating_package"
    package.mkdir()
    files = {"__init__": "", "inner": DECORATING, "core": DECORATED}
    for name, text in files.items():
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    (tmp_path / "somebody_elses.py").write_text(DECORATING, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("decorating_package.core")
    for name in ("decorating_package", "decorating_package.inner", "decorating_package.core", "somebody_elses"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("bare", True), ("decorated", True), ("foreign", False), ("foreign_inside", False), ("cached", False)],
)
def test_a_function_may_be_inside_decorators_of_its_own_package_only(decorated, name, expected):
    """LiteLLM decorates some of its functions itself; what a mock or a tracer has put around one is left alone."""
    assert expected is attachment._is_pristine(getattr(decorated, name), decorated)


def test_a_function_of_another_module_of_the_package_is_not_the_modules_own(decorated):
    """Somebody has put it there."""
    assert attachment._is_pristine(decorated.traced, decorated) is False
    assert attachment._is_pristine(decorated.bare, None) is False
