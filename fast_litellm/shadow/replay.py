"""
Running a divergence class again: on calls that are made up from the shapes of its samples, or on captured ones.

Made-up calls hold nothing of anybody's content, because a shape holds none.
"""

from __future__ import annotations

import inspect
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any, Callable, Dict, FrozenSet, Iterable, Iterator, List, Mapping, NamedTuple, Optional

from fast_litellm.errors import Declined, Unsnapshotable
from fast_litellm.shadow import divergence, engine, modes, reduction, synthetic
from fast_litellm.shadow.candidate import Call, Withheld
from fast_litellm.shadow.comparators import Difference
from fast_litellm.shadow.experiment import Experiment, Limits
from fast_litellm.shadow.observation import Description, Observation
from fast_litellm.shadow.redaction import Redactor
from fast_litellm.shadow.trial import Finding, Trial

_DIGESTED_KEY = re.compile(r"\[key:[0-9a-f]*\]")
_ENDINGS = frozenset({"timeout", "crash"})

Dress = Callable[[Call], Call]


class Wanted(NamedTuple):
    """
    What all divergences of a class have in common, whichever key they were redacted with.

    Args:
        kind: As the ledger has it, like the rest.
        pattern: Keys that were redacted are all alike here.
        control_type: A class's name.
        candidate_type: Likewise.
        outcomes: What the control did in the samples: "value", "exception"; empty when nothing is known of it.
    """

    kind: str
    pattern: str
    control_type: str
    candidate_type: str
    outcomes: FrozenSet[str] = frozenset()

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Wanted:
        """Returns what is told of a class by its record in the ledger."""
        sides = (str(record["control_type"]), str(record["candidate_type"]))
        outcomes = frozenset(filter(None, (it.get("shape", {}).get("outcome") for it in record.get("samples", ()))))
        return cls(str(record["kind"]), _without_digests(str(record["pattern"])), *sides, outcomes)

    def is_met_by(self, found: Description) -> bool:
        """Returns whether a difference is one of the class."""
        told = (found.kind, _without_digests(found.pattern), found.control.type, found.candidate.type)
        return told == self[: len(told)]

    def is_like(self, control: Observation) -> bool:
        """Returns whether a control did what it did in the samples: a call that it refuses is another kind of call."""
        return not self.outcomes or ("value" if control.error_type is None else "exception") in self.outcomes


@dataclass(frozen=True)
class Seen:
    """
    What one call came to.

    Args:
        word: "matched", "same" (the class again), "other" (another difference), "noise" (the control does not agree
            with itself), or why nothing was compared: "declined", "unlike" (the control does with it what it did with
            no sample), "not_callable", or the machinery's word.
        difference: With its content; None unless something differed.
        description: Without it.
    """

    word: str
    difference: Optional[Difference] = field(default=None, repr=False)
    description: Optional[Description] = None


class Replay:
    """
    One experiment, to be run outside of any program.

    Args:
        experiment: The two sides.
        is_isolated: The candidate runs in a process of its own, where it may hang and crash.
        dress: Makes a call of the control of one that is made up, where that is another.
    """

    def __init__(self, experiment: Experiment, *, is_isolated: bool = False, dress: Optional[Dress] = None) -> None:
        limits = Limits(mode="isolated" if is_isolated else "off_path")
        self.experiment = experiment
        self._arranged = modes.arrange(experiment, limits)
        self._trial = Trial(self._arranged, limits)
        self._dress = dress or (lambda call: call)
        self._twin = getattr(experiment.candidate, "twin", None) or (lambda args, kwargs: (args, kwargs))
        self._redactor = Redactor(os.urandom(32))

    def __call__(self, call: Call, wanted: Optional[Wanted] = None) -> Seen:
        """
        Run both sides on a call.

        Args:
            call: It is not changed.
            wanted: The class whose difference is the "same".

        Returns:
            What it came to.
        """
        return self._attempt(self._dress(call), wanted, is_made_up=True)

    def captured(self, call: Call, wanted: Optional[Wanted] = None) -> Seen:
        """
        Returns:
            What a call came to that was seen as it is.
        """
        return self._attempt(call, wanted, is_made_up=False)

    def close(self) -> None:
        """Ends what the candidate runs in."""
        self._trial.close()

    def _attempt(self, call: Call, wanted: Optional[Wanted], *, is_made_up: bool) -> Seen:
        try:
            if not self._is_callable(call):
                return Seen("not_callable")
            plan = self._arranged.candidate.prepare(*call)
            frozen, _ = engine.current().freeze(self._twin(*call) if is_made_up else call)
            control = self._trial.control(plan, frozen)
            if is_made_up and wanted is not None and not wanted.is_like(control):
                return Seen("unlike")
            return self._seen(self._trial.run(plan, frozen, control), wanted)
        except Declined:
            return Seen("declined")
        except Unsnapshotable:
            return Seen("unsnapshotable")
        except Withheld as withheld:
            return Seen(withheld.reason)

    def _seen(self, finding: Finding, wanted: Optional[Wanted]) -> Seen:
        if finding.difference is None:
            return Seen("matched")
        comparator = self.experiment.comparator
        described = divergence.describe(self._redactor, self.experiment.feature, comparator, finding.difference)
        if finding.outcome == "waived":
            return Seen("noise", finding.difference, described)
        is_same = wanted is not None and wanted.is_met_by(described)
        return Seen("same" if is_same else "other", finding.difference, described)

    def _is_callable(self, call: Call) -> bool:
        """A call that the control could not even begin says nothing of what it does."""
        try:
            inspect.signature(self.experiment.control).bind(*call[0], **call[1])
        except TypeError:
            return False
        except ValueError:  # a function without a signature
            return True
        return True


def _without_digests(pattern: str) -> str:
    return _DIGESTED_KEY.sub("[key]", pattern)


def is_isolated(record: Mapping[str, Any]) -> bool:
    """
    Args:
        record: A divergence class with its samples.

    Returns:
        Whether its candidate is to be run in a process of its own.
    """
    return record["kind"] in _ENDINGS or any(it.get("exec_path") == "isolated" for it in record["samples"])


def made_up(profile: str, record: Mapping[str, Any], limit: int) -> Iterator[Call]:
    """
    Args:
        profile: The table of dimensions of its shapes.
        record: A divergence class with its samples.
        limit: How many at most.

    Returns:
        Calls of the shapes of its samples in turn, the same ones each time; none when no sample has a shape.
    """
    shapes: List[Dict[str, str]] = [sample["shape"] for sample in record["samples"] if sample.get("shape")]
    seeds = count() if shapes else iter(())
    for seed in seeds:
        if seed >= limit:
            return
        yield synthetic.call(profile, shapes[seed % len(shapes)], Random(seed))  # noqa: S311 - no secret


def first(
    replay: Replay, calls: Iterable[Call], wanted: Wanted, words: Optional[Counter[str]] = None
) -> Optional[Call]:
    """
    Args:
        replay: Runs both sides.
        calls: Tried in turn.
        wanted: The class.
        words: Counts what each call came to.

    Returns:
        The first call on which the candidate differs as in a class, or None.
    """
    words = Counter() if words is None else words
    for call in calls:
        word = replay(call, wanted).word
        words[word] += 1
        if word == "same":
            return call
    return None


def smallest(replay: Replay, call: Call, wanted: Wanted) -> Call:
    """
    Args:
        replay: Runs both sides.
        call: One on which they differ as in the class.
        wanted: The class.

    Returns:
        The smallest call found on which they still do.
    """
    found: Call = reduction.smallest(call, lambda smaller: _is_call(smaller) and replay(smaller, wanted).word == "same")
    return found


def _is_call(value: Any) -> bool:
    return len(value) == 2 and isinstance(value[1], dict)  # noqa: PLR2004 - positional and keyword arguments
