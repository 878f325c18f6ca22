"""
The pairs of a feature outside of an installation: to run a divergence again, here or in a test.

    assert replaying.difference("token_counting", (), {"model": "gpt-4o", "text": "word"}) is None
"""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

from fast_litellm.accel import fingerprint, own_pairs, patching, references
from fast_litellm.accel.evidence import experiment
from fast_litellm.accel.feature import Pair
from fast_litellm.accel.native import Dispatcher
from fast_litellm.accel.seams import SEAMS, Seam
from fast_litellm.errors import SeamError
from fast_litellm.shadow import Experiment
from fast_litellm.shadow.replay import Dress, Replay, Seen

_SHOWN = 80


@dataclass(frozen=True)
class Place:
    """
    One pair of a feature.

    Args:
        name: The control's dotted name.
        experiment: The two sides.
        dress: Makes a call of the control of a made-up one; None where it is the same.
    """

    name: str
    experiment: Experiment
    dress: Optional[Dress] = None

    def replay(self, *, is_isolated: bool = False) -> Replay:
        """Returns what runs the pair."""
        return Replay(self.experiment, is_isolated=is_isolated, dress=self.dress)


def places(feature: str, build: str = "") -> List[Place]:
    """
    Args:
        feature: The flag's name.
        build: Of the candidate, where a pair has several: that build, or what is installed of the same candidate; the
            first candidate if there is neither.

    Returns:
        Its pairs: the seams of the table, or the pair that an imported module has declared.

    Raises:
        SeamError: Nothing of that name is known, it has effects, or the installed reference is not one that the
            candidate equals.
    """
    own = own_pairs.declared().get(feature)
    if own is not None:
        return [_place(own.place, feature, own.pair, build)]
    found = [_of_seam(seam, build) for seam in SEAMS if seam.feature == feature]
    if not found:
        raise SeamError(
            f"no pair is called {feature!r} here\n    hint: name the module that declares it: --module MODULE"
        )
    return found


def difference(
    feature: str, args: Tuple[Any, ...], kwargs: Dict[str, Any], *, build: str = "", is_isolated: bool = False
) -> Optional[str]:
    """
    Run control and candidate on a call, as a comparison does.

    Args:
        feature: The flag's name.
        args: Positional arguments.
        kwargs: Keyword arguments.
        build: As for `places`.
        is_isolated: The candidate runs in a process of its own, where it may hang and crash.

    Returns:
        How they differ, with what either did; None when they agree, or when the candidate leaves such calls to the
        control.

    Raises:
        SeamError: As `places` does.
        ValueError: The call cannot be compared at all.
    """
    for place in places(feature, build):
        replay = place.replay(is_isolated=is_isolated)
        try:
            told = _told(replay((args, kwargs)))
        finally:
            replay.close()
        if told is not None:
            return f"{place.name}: {told}"
    return None


def _of_seam(seam: Seam, build: str) -> Place:
    module = importlib.import_module(seam.module)
    text = fingerprint.fingerprint(seam.sources)
    reference = references.known(seam.feature, text)
    if reference is None:
        raise SeamError(f"the source of {seam.place} is not one that the candidate is known to equal")
    standing = patching.held(module, seam.name)[2]
    candidate = seam.candidate(module, reference.semantics)
    pair = Pair(
        control=standing.__wrapped__ if isinstance(standing, Dispatcher) else standing,
        candidate=candidate,
        comparator=seam.comparator,
        reference=str(text),
        effect_free=seam.effect_free,
        profile=seam.profile,
        request=seam.request,
        noise=seam.noise,
        twins=getattr(candidate, "twins", None),
        further={name: make(module, reference.semantics) for name, make in seam.further.items()},
    )
    return _place(seam.place, seam.feature, pair, build, seam.dress)


def _place(name: str, feature: str, pair: Pair, build: str, dress: Optional[Dress] = None) -> Place:
    """What has effects on more than a state that has twins is never run twice, not even by a person."""
    if not pair.is_comparable:
        raise SeamError(f"{name} has effects, so it is not run again")
    return Place(name, experiment(feature, pair, _candidate(pair, build)), dress)


def _candidate(pair: Pair, build: str) -> Any:
    """Builds are named by what they are of, up to a blank or an @, and then by which it is."""
    if not build or not pair.further:
        return pair.candidate
    known = list(pair.candidates.values())
    kind = re.split("[ @]", build)[0]
    same = [it for it in known if it.build == build] or [it for it in known if re.split("[ @]", it.build)[0] == kind]
    return (same or known)[0]


def _told(seen: Seen) -> Optional[str]:
    if seen.word in ("matched", "declined", "noise"):
        return None
    if seen.difference is None or seen.description is None:
        raise ValueError(f"nothing could be compared: {seen.word}")
    sides = (seen.difference.control, seen.difference.candidate)
    control, candidate = (_shown(side) for side in sides)
    return f"{seen.description.kind} at {seen.description.path}: {control}, the candidate {candidate}"


def _shown(side: Any) -> str:
    """The calls of a test are made up, so that both sides may be shown."""
    error = getattr(side, "error_type", None)
    text = f"{error.__qualname__}: {side.error_text}" if error is not None else repr(getattr(side, "value", side))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
