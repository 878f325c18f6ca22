"""
Hooks around our provider: the specification's `hooks.feature` and section 4, and the hook we hand out.

Numbers in brackets are requirements of https://openfeature.dev/specification.
"""

from __future__ import annotations

import logging

import pytest
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode, GeneralError
from openfeature.flag_evaluation import FlagEvaluationOptions, FlagType, Reason
from openfeature.hook import Hook

from fast_litellm.flags import FlagManager
from fast_litellm.flags.openfeature import EvaluationHook, FastLitellmProvider

FLAGS = {
    "served": {"otherwise": "rust"},
    "targeted": {"rules": [{"name": "vip", "when": {"attr": "tier", "equals": "vip"}, "serve": "rust"}]},
}
NAMES = ("api", "client", "invocation", "provider")
INWARDS = list(NAMES)
OUTWARDS = ["provider", "invocation", "client", "api"]


class Recorded(Hook):
    """Notes which stages ran, in a list that all hooks share."""

    def __init__(self, name, log, *, fails=(), adds=None):
        self.name, self.log, self.fails, self.adds = name, log, fails, adds
        self.details, self.contexts = {}, []

    def note(self, stage, context):
        """Remembers a stage, and fails if that is wanted."""
        self.log.append((stage, self.name))
        context.hook_data.setdefault("stages", []).append(stage)
        self.contexts.append(context)
        if stage in self.fails:
            raise GeneralError(f"{stage} of {self.name}")

    def before(self, hook_context, hints):
        self.note("before", hook_context)
        return EvaluationContext(attributes=self.adds) if self.adds else None

    def after(self, hook_context, details, hints):
        self.details["after"] = details
        self.note("after", hook_context)

    def error(self, hook_context, exception, hints):
        self.details["error"] = exception
        self.note("error", hook_context)

    def finally_after(self, hook_context, details, hints):
        self.details["finally"] = details
        self.note("finally", hook_context)


@pytest.fixture
def hooked():
    """Makes one hook for each level, and asks for a flag through them; returns the details, the hooks and the log."""

    def ask(flag="served", kind="boolean", default=False, **options):
        log = []
        hooks = {name: Recorded(name, log, **options.get(name, {})) for name in NAMES}
        manager = FlagManager.from_dict({"version": 1, "flags": FLAGS})
        api.set_provider_and_wait(FastLitellmProvider(manager, hooks=[hooks["provider"]]), "hooked")
        api.add_hooks([hooks["api"]])
        client = api.get_client("hooked")
        client.add_hooks([hooks["client"]])
        invocation = FlagEvaluationOptions(hooks=[hooks["invocation"]], hook_hints={"side": "hint"})
        return getattr(client, f"get_{kind}_details")(flag, default, None, invocation), hooks, log

    yield ask
    api.shutdown()


def order(log, stage):
    """Names the hooks that ran at a stage, in their order."""
    return [name for ran, name in log if ran == stage]


def test_hooks_run_inwards_and_then_outwards(hooked):
    """API, client, invocation, provider; then the other way round (2.3.1, 4.4.1, 4.4.2)."""
    _, _, log = hooked()

    assert [("before", name) for name in INWARDS] == log[:4]
    assert [("after", name) for name in OUTWARDS] == log[4:8]
    assert [("finally", name) for name in OUTWARDS] == log[8:]


def test_after_and_finally_get_the_details(hooked):
    """Key, value, variant, reason, no error (4.3.6, 4.3.8)."""
    answer, hooks, _ = hooked()

    assert (True, "rust", Reason.STATIC, None) == (answer.value, answer.variant, answer.reason, answer.error_code)
    assert {"after": answer, "finally": answer} == hooks["provider"].details


@pytest.mark.parametrize(
    ("flag", "kind", "default", "code"),
    [
        ("missing-flag", "string", "uh-oh", ErrorCode.FLAG_NOT_FOUND),
        ("served", "integer", 13, ErrorCode.TYPE_MISMATCH),
    ],
)
def test_errors_reach_error_and_finally(hooked, flag, kind, default, code):
    """Before, error and finally run, after does not (4.3.7, 4.3.8); finally sees the default and the code."""
    answer, hooks, log = hooked(flag, kind, default)

    assert [("error", name) for name in OUTWARDS] == log[4:8]
    assert (OUTWARDS, []) == (order(log, "finally"), order(log, "after"))
    assert (default, None, Reason.ERROR, code) == (answer.value, answer.variant, answer.reason, answer.error_code)
    assert answer == hooks["client"].details["finally"]
    assert code == hooks["client"].details["error"].error_code


def test_a_context_from_before_decides(hooked):
    """What a before hook returns is merged with the context of the call (4.3.2.1, 4.3.5)."""
    answer, _, _ = hooked("targeted", client={"adds": {"tier": "vip"}})

    assert (True, Reason.TARGETING_MATCH) == (answer.value, answer.reason)


def test_a_failing_before_hook_returns_the_default(hooked):
    """Error hooks run, later before hooks do not, and the provider is not asked (4.4.5 to 4.4.7)."""
    answer, _, log = hooked("served", default=False, client={"fails": ["before"]})

    assert (False, Reason.ERROR, ErrorCode.GENERAL) == (answer.value, answer.reason, answer.error_code)
    assert (["api", "client"], OUTWARDS, []) == (order(log, "before"), order(log, "error"), order(log, "after"))


def test_failing_error_and_finally_hooks_stop_nobody(hooked, caplog):
    """The others run, and the caller gets his default (4.4.3, 4.4.4)."""
    with caplog.at_level(logging.CRITICAL, logger="openfeature"):
        answer, _, log = hooked("missing-flag", provider={"fails": ["error", "finally"]})

    assert (OUTWARDS, OUTWARDS) == (order(log, "error"), order(log, "finally"))
    assert ErrorCode.FLAG_NOT_FOUND == answer.error_code


def test_the_hook_context_names_the_provider_and_keeps_data(hooked):
    """Key, type, default, metadata (4.1.1 to 4.1.3); data last from stage to stage, each hook has its own (4.6.1)."""
    _, hooks, _ = hooked()
    context = hooks["provider"].contexts[0]

    assert ("served", FlagType.BOOLEAN, False) == (context.flag_key, context.flag_type, context.default_value)
    assert "fast-litellm" == context.provider_metadata.name
    assert [["before", "after", "finally"]] * 4 == [hook.contexts[-1].hook_data["stages"] for hook in hooks.values()]
    with pytest.raises(AttributeError):
        context.flag_key = "another"


class Told:
    """Stands in for the events, and keeps what it is told."""

    def __init__(self):
        self.records = []

    def record(self, evaluated, unit=None):
        self.records.append((evaluated, unit))


@pytest.mark.parametrize(
    ("flag", "kind", "default", "expected"),
    [
        ("served", "boolean", False, ("rust", "STATIC", "")),
        ("missing-flag", "string", "secret", (None, "ERROR", "FLAG_NOT_FOUND")),
        ("served", "float", 0.5, (None, "ERROR", "TYPE_MISMATCH")),
    ],
)
def test_the_evaluation_hook_tells_of_every_outcome(flag, kind, default, expected):
    """As a provider's hook it hears of successes and errors alike, with the revision and the unit."""
    told = Told()
    manager = FlagManager.from_dict({"version": 1, "flags": FLAGS})
    api.set_provider_and_wait(FastLitellmProvider(manager, hooks=[EvaluationHook(told)]), "told")
    getattr(api.get_client("told"), f"get_{kind}_value")(flag, default, EvaluationContext("u-1"))
    api.shutdown()

    [(evaluated, unit)] = told.records
    assert expected == (evaluated.variant, evaluated.reason, evaluated.error_code)
    assert (flag, "fast-litellm", manager.cell.revision) == (evaluated.flag, evaluated.provider, evaluated.version)
    assert "u-1" == unit


def test_the_evaluation_hook_tells_of_other_providers():
    """Registered with the API it names the provider that answered, even where there are no rules of ours."""
    told = Told()
    api.add_hooks([EvaluationHook(told)])
    api.get_client().get_boolean_value("elsewhere", True)
    api.shutdown()

    [(evaluated, _)] = told.records
    assert ("elsewhere", "No-op Provider", None) == (evaluated.flag, evaluated.provider, evaluated.version)
