"""
Records of what one side did and of what comparing two sides found.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, is_dataclass
from typing import Any, Dict, Mapping, NamedTuple, Optional, Type


class Outcome(NamedTuple):
    """
    What the control did, as the dispatcher saw it.

    Args:
        value: What it returned.
        error: What it raised; `value` has no meaning then.
        duration_ns: How long it took.
    """

    value: Any = None
    error: Optional[BaseException] = None
    duration_ns: int = 0


_NO_RECORDS = frozenset({bool, dict, float, int, list, str, tuple, type(None)})
"""What most fields hold. Asking each whether it is a dataclass took a third of the time of keeping a divergence."""


@dataclass(frozen=True)
class Observation:
    """
    What one side did, in a form nobody can change any more. Never shown: it holds content.

    Args:
        value: A frozen copy of what it returned.
        error_type: The class of what it raised, or None.
        error_text: The `str()` of what it raised.
        duration_ns: How long it took, on the wall.
        frame: The name of the function that raised; empty when it is not known.
    """

    value: Any = field(default=None, repr=False)
    error_type: Optional[Type[BaseException]] = None
    error_text: str = field(default="", repr=False)
    duration_ns: int = 0
    frame: str = ""


@dataclass(frozen=True)
class Epoch:
    """
    What a body of evidence belongs to. When any part changes, evidence starts again from nothing.

    Args:
        feature: The flag's name.
        candidate_build: Which candidate.
        reference: The fingerprint of the control's source.
        comparator: Name and version of the comparator.
        rules_revision: Which rules.
        profile: The table of dimensions that its calls' shapes have; it follows from the feature.
    """

    feature: str
    candidate_build: str
    reference: str = ""
    comparator: str = ""
    rules_revision: str = ""
    profile: str = field(default="plain", compare=False)


@dataclass(frozen=True)
class Summary:
    """
    One side of a difference, redacted.

    Args:
        outcome: "value", "exception" or "nothing" (the path does not exist on this side).
        type: The name of the value's or exception's class.
        length: Of text, bytes or a container.
        digest: Keyed, of a scalar value or an exception's text; equal digests mean equal content.
        safe_value: The value itself, when the comparator says values of this type are never content.
        frame: Of an exception: the name of the function that raised it.
    """

    outcome: str
    type: str = ""
    length: Optional[int] = None
    digest: str = ""
    safe_value: Any = None
    frame: str = ""


@dataclass(frozen=True)
class Delta:
    """
    How far apart two numbers are that are no content.

    Args:
        absolute: As a float; None when it is beyond all floats.
        relative: As a share of the larger magnitude.
        ulp: The steps from one float to the other; None for ints.
    """

    absolute: Optional[float]
    relative: float
    ulp: Optional[int] = None


@dataclass(frozen=True)
class Description:
    """
    A difference, redacted.

    Args:
        kind: How the sides differ; see `comparators.KINDS`.
        path: Where, with indices, such as `$[3].name`.
        pattern: Where, with every index as `[*]`.
        fingerprint: Names the divergence class.
        control: The control's side.
        candidate: The candidate's side.
        rule: The name of the comparator that found it, which may be a part of the one that was asked.
        delta: How far apart they are, when both are numbers and no content.
        note: A word that says more than the kind, such as "tape_exhausted".
    """

    kind: str
    path: str = ""
    pattern: str = ""
    fingerprint: str = "undescribed"
    control: Summary = Summary("nothing")
    candidate: Summary = Summary("nothing")
    rule: str = ""
    delta: Optional[Delta] = None
    note: str = ""


@dataclass(frozen=True)
class Comparison:
    """
    A comparison that did not match, redacted: everything in it may be logged and stored.

    Args:
        feature: The flag's name.
        candidate_build: Which candidate.
        comparator: Which comparator.
        outcome: "diverged", or "waived" when the control does not agree with itself.
        description: The difference.
        confirmed_on_rerun: Both sides were run again, and the candidate differed again; for a function compared with
            its own noise, the candidate is proven to differ more often.
        control_rerun_differs: The control's second run differed from its first.
        action: "blocked" when this comparison blocked the candidate, else "none".
        control_ns: How long the control took.
        candidate_ns: How long the candidate took.
        cpu_ns: Processor time of the whole comparison.
        queue_age_ns: How long the call waited for its comparison.
        input_digest: Keyed, of the call's arguments; equal digests mean equal inputs.
        shape: What can be told of the arguments without their content, by dimension.
        served: Whose answer the caller has: "control" | "candidate".
        order: Which side ran first: "control_first" | "candidate_first".
        exec_path: "off_path" | "inline" | "isolated".
        host: The keyed digest of the host's name.
        pid: The process.
        reference: The fingerprint of the control's source, if it is known.
    """

    feature: str
    candidate_build: str
    comparator: str
    outcome: str
    description: Description
    confirmed_on_rerun: bool = False
    control_rerun_differs: bool = False
    action: str = "none"
    control_ns: int = 0
    candidate_ns: int = 0
    cpu_ns: int = 0
    queue_age_ns: int = 0
    input_digest: str = ""
    shape: Mapping[str, str] = field(default_factory=dict)
    served: str = "control"
    order: str = "control_first"
    exec_path: str = "off_path"
    host: str = ""
    pid: int = 0
    reference: str = ""

    @property
    def fingerprint(self) -> str:
        """The name of its divergence class."""
        return self.description.fingerprint

    def as_event(self) -> Dict[str, Any]:
        """
        Returns:
            The fields of the log event and of the ledger's samples, JSON types only.
        """
        fields = as_fields(self)
        return {**fields.pop("description"), **fields}

    def as_text(self) -> str:
        """
        Returns:
            The same as JSON, in as few characters as it takes.
        """
        return json.dumps(self.as_event(), sort_keys=True, separators=(",", ":"), default=type_name)


def as_fields(record: Any) -> Dict[str, Any]:
    """
    Args:
        record: A dataclass whose values are never changed, so that they need no copies, which `asdict` makes.

    Returns:
        Its fields, and those of the dataclasses in them.
    """
    return {
        name: it if type(it) in _NO_RECORDS or not is_dataclass(it) else as_fields(it)
        for name, it in vars(record).items()
    }


def type_name(value: object) -> str:
    """
    Returns:
        What is kept of a value that is no JSON: its text could be content.
    """
    return type(value).__qualname__
