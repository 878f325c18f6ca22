"""
One seam of the table under one installation: whether it is patched, and if not, why not.
"""

from __future__ import annotations

import inspect
import sys
from dataclasses import replace
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Optional, Sequence

from fast_litellm import events
from fast_litellm.accel import fingerprint, patching, references, rules
from fast_litellm.accel.feature import Feature, Pair
from fast_litellm.accel.patching import Patch
from fast_litellm.accel.seams import exists

if TYPE_CHECKING:
    from types import ModuleType

    from fast_litellm.accel.evidence import Evidence
    from fast_litellm.accel.seams import Seam
    from fast_litellm.flags import FlagManager

CandidateFactory = Callable[["ModuleType", str], Any]
Labels = Dict[str, Any]

EXPLANATIONS: Dict[str, str] = {
    "waiting": "its module is not imported yet",
    "absent": "this release has no such function, so there is nothing to answer",
    "native": "this release of LiteLLM selects deployments in its own native code, so there is nothing to accelerate",
    "off": "the rules say off, so the original function stands untouched",
    "patched": "calls are routed by the rules",
    "unknown_reference": "the installed source is not one the candidate is known to equal, so Python answers",
    "foreign_wrapper": "something else has replaced the function, so it is left alone",
    "replaced": "something else stands at the seam since it was patched; LiteLLM's own is patched at the next reload",
    "failed": "the candidate could not be made, so Python answers",
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
        labels: Returns what `status` shows of the seam's feature beside its counters.
    """

    def __init__(
        self,
        seam: Seam,
        manager: FlagManager,
        evidence: Evidence,
        factory: CandidateFactory,
        labels: Callable[[], Labels],
    ) -> None:
        self.seam = seam
        self.fingerprint: Optional[str] = None
        self.failure: Optional[str] = None
        self.is_attached = False
        self._manager = manager
        self._evidence = evidence
        self._factory = factory
        self._labels = labels
        self._aligned = "waiting"
        # One for each function that has stood here: reloading LiteLLM's module defines another, and whoever has
        # imported the earlier one keeps it.
        self._features: List[Feature] = []
        self._patches: List[Patch] = []

    @property
    def state(self) -> str:
        """A word of `EXPLANATIONS`, true at the moment it is asked for."""
        if self.is_attached:
            return "patched" if self._stands() else "replaced"
        return self._aligned

    @property
    def feature(self) -> Optional[Feature]:
        """The feature at the seam, once it has been patched."""
        return self._features[-1] if self._features else None

    def refresh(self) -> None:
        """Patches, restores or leaves the seam alone, as the rules and the loaded reference ask for."""
        before = self.state
        self._aligned = self._align(sys.modules.get(self.seam.module))
        if self.feature is not None:
            self._evidence.rules_changed(self.feature, self._manager, self._labels)
        if self.state != before:
            self._log()

    def facts(self) -> Labels:
        """Returns what there is to say of this one seam."""
        return {
            "stage": rules.stage(self._manager, self.seam.feature),
            "seam": self.seam.place,
            "state": self.state,
            "patched": self.state == "patched",
            "failure": self.failure,
            "fingerprint": self.fingerprint,
        }

    def detach(self) -> None:
        """Puts the original functions back and stops routing, also for those who still hold a dispatcher."""
        if self.is_attached:
            patching.restore(self._patches)
            self.is_attached = False
            self._aligned = "off"
        for feature in self._features:
            feature.disconnect()

    def _align(self, module: Optional[ModuleType]) -> str:
        wanted = self._wanted_state(module)
        if wanted in ("off", "unknown_reference"):
            self.detach()
        elif wanted == "patched" and module is not None and not (self.is_attached and self._stands()):
            return self._attach_or_fail(module)
        return wanted

    def _wanted_state(self, module: Optional[ModuleType]) -> str:
        if self.seam.is_superseded:
            return "native"
        if module is None:
            return "waiting" if exists(self.seam.module) else "absent"
        if self._manager.stage(self.seam.feature) == "off":
            return "off"
        return "patched" if self.is_attached and self._stands() else self._state_of(self._standing(module), module)

    def _state_of(self, standing: Any, module: ModuleType) -> str:
        if standing is None:
            return "absent"
        if not _is_pristine(standing, sys.modules.get(self.seam.defined_in or module.__name__)):
            return "foreign_wrapper"
        self.fingerprint = fingerprint.fingerprint(self.seam.sources)
        return "patched" if references.known(self.seam.feature, self.fingerprint) else "unknown_reference"

    def _stands(self) -> bool:
        standing = self._standing(sys.modules.get(self.seam.module))
        return self.feature is not None and standing is self.feature.dispatcher

    def _standing(self, module: Optional[ModuleType]) -> Any:
        return patching.held(module, self.seam.name)[2]

    def _attach_or_fail(self, module: ModuleType) -> str:
        """Making a candidate may run anything at all: what it raises is a state of the seam, not of the program."""
        try:
            self._attach(module)
        except Exception as error:
            self.detach()
            self.failure = type(error).__name__
            return "failed"
        self.failure = None
        return "patched"

    def _attach(self, module: ModuleType) -> None:
        if self.feature is None or self.feature.pair.control is not self._standing(module):
            apart = self.seam.defined_in is not None
            self._add(Feature(self.seam.feature, self._pair(module), apart=apart), module)
        for feature in self._features:
            feature.connect(self._manager, self._evidence.runner(feature, self._manager, self._labels))
            self._evidence.keep(feature)
        patching.apply(self._patches)
        self.is_attached = True

    def _add(self, feature: Feature, module: ModuleType) -> None:
        """Its candidate is made of the module as it is, so it answers for the functions of earlier loads as well."""
        for earlier in self._features:
            pair = feature.pair
            earlier.pair = replace(earlier.pair, candidate=pair.candidate, further=pair.further, twins=pair.twins)
        self._features.append(feature)
        owner, attribute, control = patching.held(module, self.seam.name)
        holder = module if self.seam.defined_in else owner
        self._patches.append(Patch(control, feature.dispatcher, holder, attribute))

    def _pair(self, module: ModuleType) -> Pair:
        reference = references.known(self.seam.feature, self.fingerprint)
        assert reference is not None, "a seam is attached only to a known reference"  # noqa: S101
        candidate = self._factory(module, reference.semantics)
        return Pair(
            control=self._standing(module),
            candidate=candidate,
            further={name: make(module, reference.semantics) for name, make in self.seam.further.items()},
            comparator=self.seam.comparator,
            reference=str(self.fingerprint),
            effect_free=self.seam.effect_free,
            profile=self.seam.profile,
            request=self.seam.request,
            twins=getattr(candidate, "twins", None),
            noise=self.seam.noise,
        )

    def _log(self) -> None:
        named = {"patched": events.SEAM_PATCHED, "off": events.SEAM_RESTORED, "failed": events.SEAM_FAILED}
        events.tell(
            "accel",
            "error" if self.state == "failed" else "info",
            named.get(self.state, events.SEAM_SKIPPED),
            feature=self.seam.feature,
            seam=self.seam.place,
            state=self.state,
            fingerprint=self.fingerprint,
            exception_class=self.failure,
        )


def together(facts: Sequence[Labels]) -> Labels:
    """
    Args:
        facts: Of each seam of one feature.

    Returns:
        The same of the feature: it is patched when all its seams are that the release has, and what is amiss with one
        is amiss with it.
    """
    there = [it for it in facts if it["state"] != "absent"] or facts
    telling = next((it for it in there if not it["patched"]), there[0])
    return {**telling, "seam": ", ".join(it["seam"] for it in facts)}


def _is_pristine(function: Any, module: Optional[ModuleType]) -> bool:
    """
    Whether the function is the module's own, maybe inside a decorator of its own package: a mock or another tool's
    wrapper was defined elsewhere.
    """
    if module is None or type(function) is not FunctionType:  # `isinstance` says yes of a dispatcher
        return False
    package = sys.modules[module.__name__.partition(".")[0]]
    files = [layer.__code__.co_filename for layer in _layers(function) if inspect.isfunction(layer)]
    own = all(Path(file).is_relative_to(Path(package.__file__ or "").parent) for file in files)
    return own and files[-1] == module.__file__


def _layers(function: Any) -> Iterator[Any]:
    while function is not None:
        yield function
        function = getattr(function, "__wrapped__", None)
