"""
Flag evaluations as OpenTelemetry events. Needs the extra `opentelemetry`; nothing is emitted unless it is asked for.

    events = EvaluationEvents(share=1)
    events.decide(manager, "token_counting", unit="user-1")         # directly
    FastLitellmProvider(manager, hooks=[EvaluationHook(events)])    # through OpenFeature

Event and attribute names are those of the semantic conventions 1.44,
https://opentelemetry.io/docs/specs/semconv/feature-flags/feature-flags-events/. Two things they recommend are left out,
because they can carry a caller's secrets: the unit as `feature_flag.context.id`, and a default as
`feature_flag.result.value`. For the same reason an error's message is this module's own.
"""

from __future__ import annotations

import functools
import itertools
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional

from fast_litellm.errors import MissingExtraError
from fast_litellm.flags import evaluation
from fast_litellm.flags.live import guarded

try:
    from opentelemetry._logs import get_logger
except ImportError as error:
    raise MissingExtraError(__name__, "opentelemetry") from error

if TYPE_CHECKING:
    from opentelemetry._logs import LoggerProvider

    from fast_litellm.flags.decision import Decision
    from fast_litellm.flags.evaluation import Evaluation
    from fast_litellm.flags.manager import FlagManager

EVENT = "feature_flag.evaluation"

_SCHEMA = "https://opentelemetry.io/schemas/1.44.0"
_SALT = b"fast-litellm/evaluation-events"
_MILLION = 1_000_000
_PER_PERCENT = 10_000
_WORD = 1 << 64
_GOLDEN = 0x9E3779B97F4A7C15  # 2**64 divided by the golden ratio, odd

_MESSAGES = {
    "FLAG_NOT_FOUND": "no rules declare the flag",
    "TYPE_MISMATCH": "the flag has another type",
    "TARGETING_KEY_MISSING": "a percentage applies and the context has no unit",
    "INVALID_CONTEXT": "the context could not be used",
    "PROVIDER_NOT_READY": "the provider is not initialized",
    "PROVIDER_FATAL": "the provider cannot be initialized",
    "PARSE_ERROR": "the rules could not be read",
}


class EvaluationEvents:
    """
    Emits `feature_flag.evaluation` for a share of all evaluations.

    Which ones is not left to chance. With a unit, a hash of the flag and the unit under a salt of its own decides: it
    is independent of every rollout's hash, and one unit is told of always or never, in every process. Without one, an
    even spread over the calls decides.

    Every method may be called from any thread. What OpenTelemetry raises is logged by its class name and goes no
    further.

    Args:
        share: Which share of the evaluations is told, in percent: 0 to 100, in steps of 0.0001.
        flag_set: What to call the rules, where a collector hears of several (`feature_flag.set.id`).
        context_key: A secret of 1 to 64 bytes. With it `feature_flag.context.id` is the unit's digest under that key;
            without it there is none.
        logger_provider: Whom to tell; the program's global one unless given.

    Raises:
        ValueError: The share is no percentage, or the key has another length.
    """

    def __init__(
        self,
        share: float,
        *,
        flag_set: Optional[str] = None,
        context_key: Optional[bytes] = None,
        logger_provider: Optional[LoggerProvider] = None,
    ) -> None:
        self._threshold = _millionths(share)
        self._flag_set = flag_set
        self._context_key = _usable(context_key)
        self._unitless = itertools.count()
        self._logger = get_logger("fast_litellm.flags", logger_provider=logger_provider, schema_url=_SCHEMA)

    def decide(
        self, manager: FlagManager, flag: str, *, unit: object = None, attributes: Optional[Mapping[str, Any]] = None
    ) -> Decision:
        """
        Decide one call as the manager does, and tell of it if it belongs to the share.

        Args:
            manager: Who decides.
            flag: The flag's name.
            unit: As for `FlagManager.decide`.
            attributes: As for `FlagManager.decide`.

        Returns:
            The manager's decision.
        """
        decision = manager.decide(flag, unit=unit, attributes=attributes)
        self.record(evaluation.of(decision), unit)
        return decision

    def record(self, evaluated: Evaluation, unit: object = None) -> None:
        """
        Tell of an evaluation if it belongs to the share.

        Args:
            evaluated: What may be told.
            unit: Whom it was made for. It is hashed, and never told.
        """
        if self._threshold:
            guarded(functools.partial(self._emit_sampled, evaluated, unit))

    def _emit_sampled(self, evaluated: Evaluation, unit: object) -> None:
        hashable = _hashable(unit)
        if self._point(evaluated.flag, hashable) < self._threshold:
            self._logger.emit(event_name=EVENT, attributes=self._attributes(evaluated, hashable))

    def _point(self, flag: str, unit: Optional[bytes]) -> int:
        """
        Returns a number from 0 to 999,999.

        Without a unit it is the n-th multiple of the golden ratio, modulo one: spread evenly, also over every second
        or third call (Knuth, The Art of Computer Programming, volume 3, section 6.4).
        """
        if unit is None:
            word = next(self._unitless) * _GOLDEN % _WORD
        else:
            word = int.from_bytes(_digest(str(flag).encode() + b"\0" + unit, _SALT, 8), "big")
        return word * _MILLION // _WORD

    def _attributes(self, evaluated: Evaluation, unit: Optional[bytes]) -> Dict[str, str]:
        told = {
            "feature_flag.key": str(evaluated.flag),
            "feature_flag.result.variant": evaluated.variant,
            "feature_flag.result.reason": evaluated.reason.lower(),
            "feature_flag.provider.name": evaluated.provider,
            "feature_flag.set.id": self._flag_set,
            "feature_flag.version": evaluated.version,
            "error.type": evaluated.error_code.lower() or None,
            "feature_flag.error.message": _MESSAGES.get(evaluated.error_code),
        }
        if self._context_key and unit is not None:
            told["feature_flag.context.id"] = _digest(unit, self._context_key, 16).hex()
        return {name: value for name, value in told.items() if value is not None}


def _millionths(share: float) -> int:
    wanted = round(share * _PER_PERCENT) if 0 <= share <= 100 else None  # noqa: PLR2004 - percent
    if wanted is None or wanted / _PER_PERCENT != share:
        raise ValueError(
            f"share: expected a percentage from 0 to 100, came {share!r}"
            "\n    hint: 0.0001 is the finest step; nothing is rounded"
        )
    return wanted


def _usable(key: Optional[bytes]) -> Optional[bytes]:
    if key is not None and not 1 <= len(key) <= blake2b.MAX_KEY_SIZE:
        raise ValueError(f"context_key: expected 1 to {blake2b.MAX_KEY_SIZE} bytes, came {len(key)}")
    return key


def _hashable(unit: object) -> Optional[bytes]:
    """Returns what is hashed of a unit: of a text or a whole number, as for decisions; None for anything else."""
    if type(unit) is int:
        return b"%d" % unit
    return unit.encode(errors="surrogatepass") if isinstance(unit, str) and unit else None


def _digest(data: bytes, key: bytes, size: int) -> bytes:
    return blake2b(data, key=key, digest_size=size).digest()
