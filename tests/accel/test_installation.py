"""Install and uninstall on the real LiteLLM."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import pickle
import subprocess
import sys
import textwrap
from unittest import mock

import pytest

import fast_litellm
from fast_litellm.accel import entry_points, installation
from fast_litellm.errors import RuleError

litellm = pytest.importorskip("litellm")
core = pytest.importorskip("litellm.litellm_core_utils.token_counter")

MESSAGES = [{"role": "user", "content": "Hello"}]


@pytest.fixture(autouse=True)
def clean(tmp_path, monkeypatch):
    """Every test begins and ends uninstalled, with a ledger of its own."""
    for name in list(os.environ):
        if name.startswith("FAST_LITELLM_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("FAST_LITELLM_LEDGER", f"sqlite:///{tmp_path / 'ledger.db'}")
    monkeypatch.setenv("FAST_LITELLM_STATE", str(tmp_path / "state"))
    fast_litellm.uninstall()
    yield
    fast_litellm.uninstall()


@pytest.fixture
def rules(tmp_path):
    """Writes a rule file for token_counting and returns its path."""

    def write(**flag) -> str:
        path = tmp_path / "rollout.yaml"
        path.write_text(json.dumps({"version": 1, "flags": {"token_counting": flag}}), encoding="utf-8")
        return str(path)

    return write


def feature() -> dict:
    return fast_litellm.status()["features"]["token_counting"]


def settled() -> dict:
    """The feature's counters once nothing is in flight."""
    runner = installation._current.attachments[0].feature.runner
    assert runner.drain(10)
    return feature()


def test_shadow_is_the_default_and_promotes_nothing():
    """Without a rule file calls are compared, and Python answers all of them."""
    fast_litellm.install()
    litellm.token_counter(model="gpt-4o", messages=MESSAGES)
    found = settled()

    assert ("shadow", True, {"python": 1, "rust": 0}) == (found["stage"], found["patched"], found["served"])
    assert (1, 1, 0) == (found["compared"], found["matched"], found["diverged"])


@pytest.mark.parametrize("during", ["uninstalled", "installed anew", "switched off"])
def test_a_mock_that_ends_after_ours_was_taken_away_is_no_reason_to_stay_away(rules, during):
    """It puts back a dispatcher of ours that answers nothing any more; the next installation takes its place."""
    genuine, path = core.token_counter, rules(stage="on")
    fast_litellm.install(path)
    with mock.patch.object(core, "token_counter", return_value=-9):
        if during == "uninstalled":
            fast_litellm.uninstall()
        else:
            fast_litellm.install(rules(stage="off") if during == "switched off" else path)
    fast_litellm.install(rules(stage="on"))
    before = feature()["served"]["rust"]
    litellm.token_counter(model="gpt-4o", messages=MESSAGES)
    state, served = feature()["state"], feature()["served"]["rust"] - before
    fast_litellm.uninstall()

    assert ("patched", 1) == (state, served)
    assert core.token_counter is genuine


@pytest.mark.parametrize("stage", ["shadow", "on"])
def test_uninstall_puts_back_the_identical_objects(rules, stage):
    """Every replaced function and method is the very object it was."""

    places = [(sys.modules.get(module), name) for module, name in entry_points.ROUTERS.items()]
    routers = [getattr(module, name) for module, name in places if module is not None]

    def held() -> tuple:
        functions = core.token_counter, litellm.completion, litellm.acompletion, litellm.main.stream_chunk_builder
        return *functions, litellm.utils.function_setup, *(vars(router).get("completion") for router in routers)

    before = held()
    fast_litellm.install(rules(stage=stage))
    during = held()
    fast_litellm.uninstall()

    assert all(one is other for one, other in zip(before, held()))
    assert core.token_counter is not during[0]


def test_off_patches_nothing(rules):
    """At stage off the original functions stand, entry points included."""
    before = core.token_counter, litellm.completion
    fast_litellm.install(rules(stage="off"))

    assert before == (core.token_counter, litellm.completion)
    assert ("off", False) == (feature()["state"], feature()["patched"])


def test_on_serves_rust_and_equals_python(rules):
    """At on the candidate answers, and counters prove it."""
    expected = core.token_counter(model="gpt-4o", messages=MESSAGES)
    fast_litellm.install(rules(stage="on"))
    found = litellm.token_counter(model="gpt-4o", messages=MESSAGES)

    assert (expected, {"python": 0, "rust": 1}) == (found, feature()["served"])


@pytest.mark.parametrize("stage", ["off", "shadow", "on"])
@pytest.mark.parametrize(
    "call",
    [
        {},
        {"text": "a", "messages": MESSAGES},
        {"messages": ["hello"]},
        {"messages": [{"role": "user", "content": [{"type": "hologram"}]}]},
        {"messages": [{"role": "assistant", "tool_calls": "x"}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
    ],
)
def test_exceptions_are_the_controls_at_every_stage(rules, stage, call):
    """The same class and message, whatever the stage."""
    with pytest.raises(Exception) as expected:  # noqa: PT011 - whatever it is, it is to be the same
        pytest.fail(str(core.token_counter(model="gpt-4o", **call)))
    fast_litellm.install(rules(stage=stage))
    with pytest.raises(type(expected.value)) as found:
        litellm.token_counter(model="gpt-4o", **call)

    assert str(expected.value) == str(found.value)


def test_every_importer_is_covered(rules):
    """A module that imported the function by name before installing is routed too."""
    module = importlib.import_module("litellm.compression.compress")
    fast_litellm.install(rules(stage="on"))

    assert module.token_counter is core.token_counter
    module.token_counter(model="gpt-4o", text="Hello")

    assert {"python": 0, "rust": 1} == feature()["served"]


def test_the_function_keeps_its_face(rules):
    """Signature, source, name and pickling are those of LiteLLM's function."""
    original = core.token_counter
    fast_litellm.install(rules(stage="on"))
    replacement = core.token_counter

    assert inspect.signature(original) == inspect.signature(replacement)
    assert inspect.getsource(original) == inspect.getsource(replacement)
    assert replacement is pickle.loads(pickle.dumps(replacement))


def test_what_an_earlier_installation_left_somewhere_is_no_function_of_litellm(rules, monkeypatch):
    """Somebody kept the dispatcher and put it back: it looks like the function, and is not taken for it."""
    genuine = core.token_counter
    fast_litellm.install(rules(stage="on"))
    kept = core.token_counter
    fast_litellm.uninstall()
    monkeypatch.setattr(core, "token_counter", kept)
    fast_litellm.install(rules(stage="on"))
    pair = installation._current.attachments[0].feature.pair

    assert ("patched", True) == (feature()["state"], core.token_counter is not kept)
    assert genuine is pair.control


def test_a_reloaded_rule_file_takes_effect(rules, tmp_path):
    """off to on and back, in one process, without installing again."""
    path = rules(stage="off")
    fast_litellm.install(path)
    manager = installation._current.manager
    states = []
    for stage in ("on", "off", "shadow"):
        rules(stage=stage)
        manager.reload()
        states.append((feature()["stage"], feature()["patched"]))

    assert [("on", True), ("off", False), ("shadow", True)] == states


def test_a_broken_rule_file_keeps_the_rules_in_force(rules, tmp_path):
    """A reload that fails leaves stage and patch as they were."""
    path = rules(stage="on")
    fast_litellm.install(path)
    (tmp_path / "rollout.yaml").write_text("version: 1\nflags: {token_counting: {stgae: on}}\n", encoding="utf-8")
    accepted = installation._current.manager.reload()

    assert (False, "on", True) == (accepted, feature()["stage"], feature()["patched"])


def test_a_wrong_rule_file_is_refused_with_its_place(tmp_path):
    """install raises every problem at once and patches nothing."""
    path = tmp_path / "rollout.yaml"
    path.write_text("version: 1\nflags:\n  token_counting:\n    stgae: on\n", encoding="utf-8")
    before = core.token_counter
    with pytest.raises(RuleError, match=r"rollout\.yaml:4:5: .*stgae"):
        fast_litellm.install(path)

    assert before is core.token_counter


def test_the_kill_switch_patches_nothing(monkeypatch, rules):
    """FAST_LITELLM_DISABLE=1 wins over everything."""
    monkeypatch.setenv("FAST_LITELLM_DISABLE", "1")
    before = core.token_counter
    fast_litellm.install(rules(stage="on"))

    assert before is core.token_counter


@pytest.mark.parametrize(
    ("word", "served"), [("rust", (0, 1)), ("python", (0, 0)), ("shadow", (1, 0)), ("100%", (0, 1))]
)
def test_an_environment_override_wins_over_the_file(monkeypatch, rules, word, served):
    """FAST_LITELLM_FLAG_TOKEN_COUNTING decides, whatever the rule file says."""
    monkeypatch.setenv("FAST_LITELLM_FLAG_TOKEN_COUNTING", word)
    fast_litellm.install(rules(stage="shadow"))
    litellm.token_counter(model="gpt-4o", messages=MESSAGES)
    found = feature()["served"]

    assert served == (found["python"], found["rust"])


def test_an_unknown_reference_stays_python(monkeypatch, rules):
    """A LiteLLM whose source is not known is left alone, and doctor says so."""
    from fast_litellm.accel import references

    monkeypatch.setattr(references, "KNOWN", {"token_counting": {}})
    before = core.token_counter
    fast_litellm.install(rules(stage="on"))

    assert (before, "unknown_reference") == (core.token_counter, feature()["state"])
    assert any("stays Python" in problem for problem in fast_litellm.doctor()["problems"])


def test_a_foreign_wrapper_is_left_alone(monkeypatch, rules):
    """What another tool has put there is not replaced."""
    monkeypatch.setattr(core, "token_counter", lambda **_kwargs: 7)
    fast_litellm.install(rules(stage="on"))

    assert "foreign_wrapper" == feature()["state"]
    assert 7 == core.token_counter()


class Wrong:
    """A candidate that is off by one."""

    build = "wrong"

    def __init__(self, module, semantics) -> None:
        self.control = module.token_counter

    def prepare(self, args, kwargs):
        return None

    def run(self, plan, args, kwargs):
        return getattr(self.control, "__wrapped__", self.control)(*args, **kwargs) + 1


def test_a_wrong_candidate_is_blocked_before_it_answers(rules):
    """The first divergence blocks the feature in this process; asking for rust then still gets Python."""
    expected = core.token_counter(model="gpt-4o", messages=MESSAGES)
    fast_litellm.install(rules(stage="shadow"), candidates={"token_counting": Wrong})
    litellm.token_counter(model="gpt-4o", messages=MESSAGES)
    caught = settled()
    rules(stage="on")
    installation._current.manager.reload()
    found = litellm.token_counter(model="gpt-4o", messages=MESSAGES)

    assert (1, "blocked") == (caught["diverged"], caught["stage"])
    assert (expected, 0) == (found, feature()["served"]["rust"])


def test_the_block_outlives_the_process(rules):
    """A candidate build found wrong is blocked again when it is installed again; another build is not."""
    fast_litellm.install(rules(stage="shadow"), candidates={"token_counting": Wrong})
    litellm.token_counter(model="gpt-4o", messages=MESSAGES)
    settled()
    fast_litellm.uninstall()
    fast_litellm.install(rules(stage="on"), candidates={"token_counting": Wrong})
    again = feature()["stage"]
    fast_litellm.uninstall()
    fast_litellm.install(rules(stage="on"))

    assert ("blocked", "on") == (again, feature()["stage"])


def run_python(program: str, **environment: str) -> str:
    """Runs a program in a fresh interpreter and returns what it prints."""
    return fresh_python(program, **environment).stdout.strip()


def fresh_python(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a program in a fresh interpreter to a good end."""
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert 0 == result.returncode, result.stderr
    return result


def test_importing_the_package_imports_no_litellm():
    """Invariant 4: nothing heavy and nothing patched until asked."""
    found = run_python("import sys, fast_litellm; print('litellm' in sys.modules, 'openai' in sys.modules)")

    assert "False False" == found


@pytest.mark.parametrize("order", ["import fast_litellm.auto, litellm", "import litellm, fast_litellm.auto"])
def test_either_order_of_import_works(order):
    """Installing before or after litellm is imported ends in the same place."""
    found = run_python(
        f"""
        {order}
        import fast_litellm
        litellm.token_counter(model="gpt-4o", text="Hello")
        print(fast_litellm.status()["features"]["token_counting"]["patched"])
        """,
        FAST_LITELLM_FLAG_TOKEN_COUNTING="shadow",
    )

    assert "True" == found


@pytest.mark.parametrize(("auto", "installed"), [("1", "True"), ("0", "False")])
def test_one_variable_installs_while_python_starts(auto, installed):
    """FAST_LITELLM_AUTO=1 is enough; without it the start-up file does nothing."""
    program = "import fast_litellm; print(fast_litellm.status()['installed'])"

    assert installed == run_python(program, FAST_LITELLM_AUTO=auto)


def test_what_python_starts_to_count_resources_is_left_alone():
    """It calls nothing of LiteLLM's, and would be several times as large."""
    program = "from multiprocessing.resource_tracker import main; import sys; print('fast_litellm' in sys.modules)"

    assert "False" == run_python(program, FAST_LITELLM_AUTO="1")


def test_a_program_starts_although_its_rules_are_broken(tmp_path):
    """What is wrong goes to standard error, once, and LiteLLM's own code answers."""
    path = tmp_path / "rollout.yaml"
    path.write_text("version: 2", encoding="utf-8")
    found = fresh_python("print('running')", FAST_LITELLM_AUTO="1", FAST_LITELLM_CONFIG=str(path))

    assert ("running\n", 1) == (found.stdout, found.stderr.count("fast-litellm: nothing is accelerated: "))


def test_reloading_litellm_keeps_the_seam():
    """`importlib.reload(litellm)` ends with the dispatcher in place and working."""
    found = run_python(
        """
        import importlib, warnings, fast_litellm, litellm
        fast_litellm.install()
        importlib.reload(litellm)
        litellm.token_counter(model="gpt-4o", text="Hello")
        print(fast_litellm.status()["features"]["token_counting"]["served"])
        """,
        FAST_LITELLM_FLAG_TOKEN_COUNTING="rust",
    )

    assert "{'python': 0, 'rust': 1}" == found


def test_a_router_call_keeps_one_unit_through_routing_and_sdk(rules):
    """What a strategy counts and what the SDK counts belong to one call, and so to one side."""
    fast_litellm.install(rules(stage="on"))
    router = litellm.Router(
        model_list=[
            {"model_name": "group", "litellm_params": {"model": "gpt-4o", "api_key": "none", "mock_response": "ok"}},
            {"model_name": "group", "litellm_params": {"model": "gpt-4", "api_key": "none", "mock_response": "ok"}},
        ],
        routing_strategy="latency-based-routing",
    )
    router.completion(model="group", messages=MESSAGES)

    assert feature()["served"]["rust"] > 0


def test_status_before_installing_says_so():
    """Without an installation there is nothing to report, and nothing fails."""
    assert {"installed": False, "rules": {}, "features": {}} == fast_litellm.status()
