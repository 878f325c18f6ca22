"""
Divergence classes: which divergences are one and the same finding, and how often a finding is logged.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Callable, Dict, Optional, Tuple

from fast_litellm import events
from fast_litellm.shadow.comparators import Comparator, Difference
from fast_litellm.shadow.comparators.tolerance import ulps
from fast_litellm.shadow.observation import Comparison, Delta, Description, Summary
from fast_litellm.shadow.redaction import Redactor, pattern

SCHEMA_VERSION = 2
_QUIET_SECONDS = 60.0
_MAX_CLASSES = 500
_FINGERPRINT_BYTES = 16


def describe(redactor: Redactor, feature: str, comparator: Comparator, difference: Difference) -> Description:
    """
    Redact a difference and name its class.

    Values do not go into the name, nor do indices: one mistake has one fingerprint, whatever it was fed.

    Args:
        redactor: Holds the ledger's key.
        feature: The flag's name.
        comparator: Which comparator was asked.
        difference: What it found.

    Returns:
        The description; its fingerprint has 32 hexadecimal digits.
    """
    rule = comparator if difference.rule is None else difference.rule
    control, candidate = redactor.summary(difference.control, rule), redactor.summary(difference.candidate, rule)
    where = redactor.path(pattern(difference), comparator.known_keys)
    parts = [feature, rule.name, difference.kind, where, *_nature(control), *_nature(candidate)]
    parts += [candidate.frame] if candidate.frame else []
    return Description(
        difference.kind,
        redactor.path(difference.path, comparator.known_keys),
        where,
        redactor.digest("\0".join(parts).encode("utf-8", "surrogatepass"), _FINGERPRINT_BYTES),
        control,
        candidate,
        rule.name,
        _delta(difference, rule.safe_types),
        difference.note,
    )


def _nature(side: Summary) -> Tuple[str, str]:
    return side.outcome, side.type


def _delta(difference: Difference, safe_types: Tuple[type, ...]) -> Optional[Delta]:
    """Only of numbers that may be shown themselves: a distance to a known number would tell the other."""
    control, candidate = difference.control, difference.candidate
    kind = type(control)
    if kind is not type(candidate) or kind not in (int, float) or kind not in safe_types:
        return None
    if kind is float and not (math.isfinite(control) and math.isfinite(candidate)):
        return None
    one, other = Fraction(control), Fraction(candidate)
    apart, largest = abs(one - other), max(abs(one), abs(other))
    relative = float(apart / largest) if largest else 0.0
    return Delta(_as_float(apart), relative, ulps(control, candidate) if kind is float else None)


def _as_float(number: Fraction) -> Optional[float]:
    try:
        return float(number)
    except OverflowError:
        return None


@dataclass
class _Sighting:
    input_digest: str
    count: int = 0
    logged_at: float = -math.inf
    suppressed: int = 0
    is_confirmed: bool = False

    def see(self, comparison: Comparison) -> bool:
        """Counts a divergence, and says whether the class is confirmed by it."""
        self.count += 1
        again = comparison.confirmed_on_rerun or comparison.input_digest != self.input_digest
        newly = again and not self.is_confirmed and comparison.outcome == "diverged"
        self.is_confirmed |= newly
        return newly


class DivergenceLog:
    """
    Logs the first divergence of a class in full, and later ones at most once a minute with the number left out.

    It is a warning at first sight, and an error once it is confirmed: both sides were run again and differed again, or
    another input has diverged in the same way. What confirms it is logged at once. Noise is never confirmed.

    Args:
        clock: Seconds; monotonic.
        logger: Where events go; by default the package's logger.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, logger: Optional[Any] = None) -> None:
        self._clock = clock
        self._logger = logger
        self._sightings: Dict[str, _Sighting] = {}
        self._lock = threading.Lock()

    def record(self, comparison: Comparison) -> bool:
        """
        Args:
            comparison: One that did not match.

        Returns:
            Whether it was logged.
        """
        with self._lock:
            sighting = self._sighting(comparison)
            newly = sighting.see(comparison)
            now = self._clock()
            due = newly or now - sighting.logged_at >= _QUIET_SECONDS
            facts = {"seen_count": sighting.count, "suppressed": sighting.suppressed}
            sighting.suppressed = 0 if due else sighting.suppressed + 1
            sighting.logged_at = now if due else sighting.logged_at
        if due:
            logger = self._logger if self._logger is not None else events.logger("shadow")
            tell = logger.error if sighting.is_confirmed else logger.warning
            tell(events.DIVERGENCE, schema_version=SCHEMA_VERSION, **comparison.as_event(), **facts)
        return due

    def _sighting(self, comparison: Comparison) -> _Sighting:
        name = comparison.fingerprint
        if name not in self._sightings and len(self._sightings) >= _MAX_CLASSES:
            name = "overflow"  # a divergence with ever different classes must fill neither the memory nor the log
        return self._sightings.setdefault(name, _Sighting(comparison.input_digest))
