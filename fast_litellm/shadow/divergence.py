"""
Divergence classes: which divergences are one and the same finding, and how often a finding is logged.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any, Callable, Dict, Optional, Tuple

from fast_litellm import events
from fast_litellm.shadow.comparators import Comparator, Difference
from fast_litellm.shadow.observation import Comparison, Description, Summary
from fast_litellm.shadow.redaction import Redactor, pattern

SCHEMA_VERSION = 1
_QUIET_SECONDS = 60.0
_MAX_CLASSES = 2_000
_FINGERPRINT_BYTES = 16


def describe(redactor: Redactor, feature: str, comparator: Comparator, difference: Difference) -> Description:
    """
    Redact a difference and name its class.

    Values do not go into the name, nor do indices: one mistake has one fingerprint, whatever it was fed.

    Args:
        redactor: Holds the ledger's key.
        feature: The flag's name.
        comparator: Which comparator found it.
        difference: What it found.

    Returns:
        The description; its fingerprint has 32 hexadecimal digits.
    """
    control = redactor.summary(difference.control, comparator)
    candidate = redactor.summary(difference.candidate, comparator)
    where = redactor.path(pattern(difference), comparator.known_keys)
    parts = (feature, comparator.name, difference.kind, where, *_nature(control), *_nature(candidate))
    name = redactor.digest("\0".join(parts).encode("utf-8", "surrogatepass"), _FINGERPRINT_BYTES)
    path = redactor.path(difference.path, comparator.known_keys)
    return Description(difference.kind, path, where, name, control, candidate)


def _nature(side: Summary) -> Tuple[str, str]:
    return side.outcome, side.type


@dataclass
class _Sighting:
    count: int
    logged_at: float
    suppressed: int = 0


class DivergenceLog:
    """
    Logs the first divergence of a class in full, and later ones at most once a minute with the number left out.

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
            sighting, due = self._see(comparison.fingerprint)
            suppressed = sighting.suppressed
            sighting.suppressed = 0 if due else suppressed + 1
        if due:
            fields = {**comparison.as_event(), "seen_count": sighting.count, "suppressed": suppressed}
            self._logger_or_default().warning(events.DIVERGENCE, schema_version=SCHEMA_VERSION, **fields)
        return due

    def _see(self, name: str) -> Tuple[_Sighting, bool]:
        now = self._clock()
        if name not in self._sightings:
            # A divergence with ever different classes must fill neither the memory nor the log.
            name = name if len(self._sightings) < _MAX_CLASSES else "overflow"
        sighting = self._sightings.get(name)
        if sighting is None:
            sighting = self._sightings[name] = _Sighting(1, now)
            return sighting, True
        sighting.count += 1
        due = now - sighting.logged_at >= _QUIET_SECONDS
        if due:
            sighting.logged_at = now
        return sighting, due

    def _logger_or_default(self) -> Any:
        return self._logger if self._logger is not None else events.logger("shadow")
