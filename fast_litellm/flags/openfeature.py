"""
Flags for programs that ask through OpenFeature. Needs the extra `openfeature`.

    api.set_provider_and_wait(FastLitellmProvider(FlagManager.from_file("rollout.yaml")))
    api.get_client().get_boolean_value("token_counting", False, EvaluationContext("user-1"))

The requirement numbers in this file are those of https://openfeature.dev/specification.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, TypeVar, Union

from fast_litellm.errors import MissingExtraError, UnknownFlagError
from fast_litellm.flags.changes import Changes
from fast_litellm.flags.evaluation import PROVIDER, Evaluation

try:
    from openfeature.event import ProviderEventDetails
    from openfeature.exception import ErrorCode
    from openfeature.flag_evaluation import FlagResolutionDetails, Reason
    from openfeature.hook import Hook
    from openfeature.provider import AbstractProvider, Metadata
except ImportError as error:
    raise MissingExtraError(__name__, "openfeature") from error

if TYPE_CHECKING:
    from openfeature.evaluation_context import EvaluationContext
    from openfeature.flag_evaluation import FlagEvaluationDetails, FlagValueType
    from openfeature.hook import HookContext, HookHints

    from fast_litellm.flags.decision import Decision
    from fast_litellm.flags.manager import FlagManager
    from fast_litellm.flags.telemetry import EvaluationEvents

    Structure = Union[Sequence[FlagValueType], Mapping[str, FlagValueType]]
    Refusal = Tuple[ErrorCode, str]

T = TypeVar("T")

TARGETING_KEY = "targetingKey"
"""The attribute under which conditions see the targeting key, as the specification spells it."""


class FastLitellmProvider(AbstractProvider):
    """
    Answers OpenFeature's questions by the rules of a manager.

    A flag is a boolean (whether a candidate serves), a string (the name of the implementation that serves) and an
    object (the whole decision) at once; asked for a number it is a TYPE_MISMATCH. The variant is the implementation's
    name, and the decision's other fields are the flag metadata. The targeting key is the unit, and conditions see it
    as the attribute `targetingKey`.

    With an error code comes the caller's default, as the specification wants it: FLAG_NOT_FOUND; TARGETING_KEY_MISSING
    or INVALID_CONTEXT when a percentage applies and the context has no unit, or none that can be hashed;
    PROVIDER_NOT_READY before `initialize` and after `shutdown`. A flag that is switched off is no error: it is False
    and "python" whatever the caller's default is, so that a kill switch is never overruled by a program's text.

    Every method may be called from any thread, and none raises.

    Args:
        manager: The rules. While the provider is in use their file is watched.
        hooks: Hooks that run with every evaluation, such as `EvaluationHook`.
    """

    def __init__(self, manager: FlagManager, *, hooks: Sequence[Hook] = ()) -> None:
        super().__init__()
        self._manager = manager
        self._metadata = Metadata(PROVIDER)
        self._hooks = list(hooks)
        self._changes: Optional[Changes] = None
        self._stops_watching = False
        self._lock = threading.RLock()
        _instances.add(self)
        manager.subscribe(self._announce)

    def get_metadata(self) -> Metadata:
        """Return the provider's name, "fast-litellm" (2.1.1)."""
        return self._metadata

    def get_provider_hooks(self) -> List[Hook]:
        """Return the hooks that were handed in (2.3.1)."""
        return self._hooks

    def initialize(self, evaluation_context: EvaluationContext) -> None:  # noqa: ARG002 - the interface's
        """
        Begin to answer, to watch the rule file, and to emit events (2.4.1).

        Args:
            evaluation_context: The global context, of which nothing is needed.
        """
        with self._lock:
            self._changes = Changes(self._manager)
            self._stops_watching = not self._manager.status()["watching"]
        self._manager.watch()

    def shutdown(self) -> None:
        """Cease to answer and to emit events (2.5.1); a file that was watched before goes on being watched."""
        with self._lock:
            self._changes = None
        if self._stops_watching:
            self._manager.close()

    def resolve_boolean_details(
        self, flag_key: str, default_value: bool, evaluation_context: Optional[EvaluationContext] = None
    ) -> FlagResolutionDetails[bool]:
        """Resolve whether a candidate serves."""
        return self._resolve(flag_key, default_value, evaluation_context, _candidate_serves)

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: Optional[EvaluationContext] = None
    ) -> FlagResolutionDetails[str]:
        """Resolve the name of the implementation that serves."""
        return self._resolve(flag_key, default_value, evaluation_context, _implementation)

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: Optional[EvaluationContext] = None
    ) -> FlagResolutionDetails[int]:
        """Refuse: no flag is a number."""
        return self._resolve(flag_key, default_value, evaluation_context, None)

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: Optional[EvaluationContext] = None
    ) -> FlagResolutionDetails[float]:
        """Refuse: no flag is a number."""
        return self._resolve(flag_key, default_value, evaluation_context, None)

    def resolve_object_details(
        self, flag_key: str, default_value: Structure, evaluation_context: Optional[EvaluationContext] = None
    ) -> FlagResolutionDetails[Structure]:
        """Resolve the whole decision, without the fields that do not apply."""
        return self._resolve(flag_key, default_value, evaluation_context, _fields)

    def _resolve(
        self,
        flag: str,
        default: T,
        context: Optional[EvaluationContext],
        value_of: Optional[Callable[[Decision], T]],
    ) -> FlagResolutionDetails[T]:
        if self._changes is None:
            return _refused(default, (ErrorCode.PROVIDER_NOT_READY, "the provider is not initialized"))
        try:
            unit, attributes = _call(context)
        except Exception as error:
            # A context may be any object, and what its own code raises may quote it.
            message = f"the evaluation context could not be read ({type(error).__name__})"
            return _refused(default, (ErrorCode.INVALID_CONTEXT, message))
        decision = self._manager.decide(flag, unit=unit, attributes=attributes)
        refusal = self._refusal(decision, unit)
        if refusal is None and value_of is not None:
            return FlagResolutionDetails(
                value_of(decision),
                reason=_REASONS.get(decision.reason, decision.reason),
                variant=decision.serve,
                flag_metadata=_metadata(decision),
            )
        return _refused(default, refusal or _NO_NUMBER, _metadata(decision))

    def _refusal(self, decision: Decision, unit: object) -> Optional[Refusal]:
        if decision.reason == Reason.ERROR:
            return ErrorCode.FLAG_NOT_FOUND, self._unknown(decision.flag)
        if decision.detail != "missing_unit":
            return None
        if unit is not None and not isinstance(unit, (str, int)):
            return ErrorCode.INVALID_CONTEXT, f"expected a text as targeting key, came {type(unit).__name__}"
        return ErrorCode.TARGETING_KEY_MISSING, self._unit_wanted(decision.flag)

    def _unknown(self, flag: str) -> str:
        try:
            self._manager.describe(flag)
        except UnknownFlagError as error:
            return str(error)
        except TypeError:
            return f"expected a text as flag key, came {type(flag).__name__}"
        return "no rule file declared the flag when it was asked for"

    def _unit_wanted(self, flag: str) -> str:
        try:
            unit = self._manager.describe(flag)["unit"]
        except UnknownFlagError:
            return "the flag draws by a unit, and the context has none"
        key = "a targeting key or " if unit["explicit_first"] else ""
        return f'"{flag}" draws by a unit: expected {key}the attribute "{unit["attribute"]}" in the context, came none'

    def _announce(self) -> None:
        """Emits what has happened to the rules (5.1.1), in the order in which it happened."""
        with self._lock:
            if self._changes is None:
                return
            change = self._changes.look()
            if change.recovered:
                self.emit_provider_ready(ProviderEventDetails(message="the rules are what their file says again"))
            if change.rejected:
                self.emit_provider_stale(ProviderEventDetails(message=_STALE.format(change.problems)))
            if change.flags or change.revised:
                self.emit_provider_configuration_changed(ProviderEventDetails(flags_changed=change.flags))


class EvaluationHook(Hook):
    """
    Emits OpenTelemetry's `feature_flag.evaluation` event, for a share of the evaluations.

    Hand it to the provider, to a client or to the API; it tells of other providers' flags as well.

    Args:
        events: Which share is told, and to whom.
    """

    def __init__(self, events: EvaluationEvents) -> None:
        self._events = events

    def finally_after(
        self,
        hook_context: HookContext,
        details: FlagEvaluationDetails[FlagValueType],
        hints: HookHints,  # noqa: ARG002 - the interface's
    ) -> None:
        """Emit the event after everything else, whether or not the evaluation succeeded (4.3.8)."""
        provider = hook_context.provider_metadata
        evaluation = Evaluation(
            details.flag_key,
            details.variant,
            str(details.reason or Reason.UNKNOWN),
            _text(details.flag_metadata.get("version")),
            str(details.error_code or ""),
            provider.name if provider else PROVIDER,
        )
        self._events.record(evaluation, hook_context.evaluation_context.targeting_key)


_STALE = (
    "the rule file has problems ({}); the last good rules stay in force\n    hint: `fast-litellm validate` lists them"
)
_REASONS = {reason.value: reason for reason in Reason}
_NO_NUMBER = (ErrorCode.TYPE_MISMATCH, "a flag is a boolean, a string or an object, never a number")


def _call(context: Optional[EvaluationContext]) -> Tuple[object, Dict[str, Any]]:
    if context is None:
        return None, {}
    return context.targeting_key, {TARGETING_KEY: context.targeting_key, **context.attributes}


def _refused(default: T, refusal: Refusal, metadata: Optional[Dict[str, Any]] = None) -> FlagResolutionDetails[T]:
    code, message = refusal
    return FlagResolutionDetails(default, code, message, Reason.ERROR, flag_metadata=metadata or {})


def _candidate_serves(decision: Decision) -> bool:
    return decision.serve != "python"


def _implementation(decision: Decision) -> str:
    return decision.serve


def _fields(decision: Decision) -> Dict[str, Any]:
    """Returns a decision's fields; OpenFeature knows no null."""
    return {name: value for name, value in decision._asdict().items() if value is not None}


def _metadata(decision: Decision) -> Dict[str, Any]:
    """Returns what the resolution has no field for; `version` is what OpenTelemetry calls the revision."""
    _, stage, _, shadow, _, detail, rule, bucket, threshold, revision = decision
    told = {"stage": stage, "shadow": shadow, "detail": detail, "revision": revision, "version": revision}
    if rule is not None:
        told["rule"] = rule
    if bucket is not None:
        told["bucket"] = bucket
    if threshold is not None:
        told["threshold"] = threshold
    return told


def _text(value: object) -> Optional[str]:
    return value if isinstance(value, str) else None


_instances: weakref.WeakSet[FastLitellmProvider] = weakref.WeakSet()


def _renew_locks_in_child() -> None:
    """A lock that another thread held while the process forked would stay locked for ever in the child."""
    for provider in list(_instances):
        provider._lock = threading.RLock()  # noqa: SLF001 - the hook is part of the class


if hasattr(os, "register_at_fork"):  # absent where there is no fork
    os.register_at_fork(after_in_child=_renew_locks_in_child)
