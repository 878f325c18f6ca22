"""
One seam of the table under one installation: whether it is patched, and if not, why not.
"""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any, Callable, Dict, Optional

from fast_litellm import events
from fast_litellm.accel import fingerprint, patching, references
from fast_litellm.accel.feature import Feature, Pair
from fast_litellm.accel.patching import Patch

if TYPE_CHECKING:
    from types import ModuleType

    from fast_litellm.accel.evidence import Evidence
    from fast_litellm.accel.seams import Seam
    from fast_litellm.flags import FlagManager

CandidateFactory = Callable[["ModuleType", str], Any]

EXPLANATIONS: Dict[str, str] = {
    "waiting": "litellm's module is not imported yet",
    "off": "the rules say off, so the original function stands untouched",
    "patched": "calls are routed by the rules",
    "unknown_reference": "this LiteLLM's source is not one the candidate is known to equal, so Python answers",
    "foreign_wrapper": "something else has replaced the function, so it is left alone",
}
"""What each state means, in words for `doctor`."""


class Attachment:
    """
    Keeps one seam in line with the rules.

    Args:
        seam: The place.
        manager: The rules.
        evidence: Where comparisons go.
        factory: Makes the candidate from the loaded module and a semantics name.
    """

    def __init__(self, seam: Seam, manager: FlagManager, evidence: Evidence, factory: CandidateFactory) -> None:
        self.seam = seam
        self.state = "waiting"
        self.fingerprint: Optional[str] = None
        self.feature: Optional[Feature] = None
        self._manager = manager
        self._evidence = evidence
        self._factory = factory
        self._patch: Optional[Patch] = None

    @property
    def is_patched(self) -> bool:
        """Whether the dispatcher stands at the seam."""
        return self._patch is not None

    def refresh(self) -> None:
        """Patches, restores or leaves the seam alone, as the rules and the loaded reference ask for."""
        before = self.state
        self.state = self._wanted_state(sys.modules.get(self.seam.module))
        if self.state == "patched" and self._patch is None:
            self._attach(sys.modules[self.seam.module])
        elif self.state == "off":
            self.detach()
        if self.feature is not None:
            self._evidence.rules_changed(self.feature, self._manager, self.labels)
        if self.state != before:
            self._log()

    def labels(self) -> Dict[str, Any]:
        """Returns what `status` shows of the feature beside its counters."""
        return {
            "stage": self._manager.stage(self.seam.feature),
            "seam": self.seam.place,
            "state": self.state,
            "patched": self.is_patched,
            "fingerprint": self.fingerprint,
        }

    def detach(self) -> None:
        """Puts the original function back and stops routing, also for those who still hold the dispatcher."""
        if self._patch is not None:
            patching.restore([self._patch])
            self._patch = None
            self.state = "off"
        if self.feature is not None:
            self.feature.disconnect()

    def _wanted_state(self, module: Optional[ModuleType]) -> str:
        if module is None:
            return "waiting"
        if self._manager.stage(self.seam.feature) == "off":
            return "off"
        if self._patch is not None:
            return "patched"
        if not _is_pristine(getattr(module, self.seam.name, None), module):
            return "foreign_wrapper"
        self.fingerprint = fingerprint.fingerprint(self.seam.sources)
        return "patched" if references.known(self.seam.feature, self.fingerprint) else "unknown_reference"

    def _attach(self, module: ModuleType) -> None:
        if self.feature is None:
            self.feature = Feature(self.seam.feature, self._pair(module))
        self.feature.connect(self._manager, self._evidence.runner(self.feature, self._manager, self.labels))
        self._patch = Patch(self.feature.pair.control, self.feature.dispatcher)
        patching.apply([self._patch])

    def _pair(self, module: ModuleType) -> Pair:
        reference = references.known(self.seam.feature, self.fingerprint)
        assert reference is not None, "a seam is attached only to a known reference"  # noqa: S101
        return Pair(
            control=getattr(module, self.seam.name),
            candidate=self._factory(module, reference.semantics),
            comparator=self.seam.comparator,
            reference=str(self.fingerprint),
            effect_free=self.seam.effect_free,
        )

    def _log(self) -> None:
        event = {"patched": events.SEAM_PATCHED, "off": events.SEAM_RESTORED}.get(self.state, events.SEAM_SKIPPED)
        events.logger("accel").info(
            event, feature=self.seam.feature, seam=self.seam.place, state=self.state, fingerprint=self.fingerprint
        )


def _is_pristine(function: Any, module: ModuleType) -> bool:
    """Whether the function is the module's own: a mock or another tool's wrapper was defined elsewhere."""
    return inspect.isfunction(function) and function.__code__.co_filename == module.__file__
