"""
What a flag of another engine becomes, and the list of what could not be carried over.

Nothing is guessed. What cannot be carried exactly is left out, and Python answers the calls it would have decided.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple

if TYPE_CHECKING:
    from collections.abc import Iterator

# A condition, or any other mapping of a rule file.
Mapping = Dict[str, Any]
# Implementations with their millionths, in the order of the file.
Parts = List[Tuple[str, int]]

PYTHON = "python"
RUST = "rust"
WHOLE = 1_000_000
_MILLIONTHS_PER_PERCENT = 10_000
_CONTROL = frozenset({"off", "false", "control", "disabled", PYTHON})
_CANDIDATE = frozenset({"on", "true", "treatment", "enabled", RUST})


class NotCarriedError(Exception):
    """
    Something of the other engine has no exact counterpart.

    Args:
        element: What it is, as the other engine calls it.
        reason: Why it has no counterpart.
    """

    def __init__(self, element: str, reason: str) -> None:
        super().__init__(f"{element}: {reason}")
        self.element = element
        self.reason = reason


@dataclass(frozen=True)
class LeftOut:
    """One thing that was not carried over as it was."""

    flag: str
    element: str
    reason: str
    meaning: str


@dataclass
class Listing:
    """
    Everything that was not carried over as it was.

    Args:
        flag: The flag being read, in the other engine's spelling.
    """

    entries: List[LeftOut] = field(default_factory=list)
    flag: str = ""

    def add(self, element: str, reason: str, meaning: str) -> None:
        """List a difference once."""
        entry = LeftOut(self.flag, element, reason, meaning)
        if entry not in self.entries:
            self.entries.append(entry)

    @contextmanager
    def leaving_out(self, meaning: str) -> Iterator[None]:
        """List whatever the block cannot carry over, with what that means, and go on after the block."""
        try:
            yield
        except NotCarriedError as refusal:
            self.add(refusal.element, refusal.reason, meaning)


@dataclass
class Draft:
    """
    One flag as it is being put together.

    Args:
        salt: What its units are hashed with.
        unit: The attribute that is hashed; None as long as nothing is.
        enabled: False for a flag that is switched off.
    """

    salt: str
    unit: Optional[str] = None
    enabled: bool = True
    requires: List[Mapping] = field(default_factory=list)
    rules: List[Mapping] = field(default_factory=list)
    otherwise: Any = PYTHON

    def draw(self, parts: Parts, salt: str, unit: str) -> Any:
        """
        Divide units.

        Args:
            parts: Who gets how many millionths; they add up to a million.
            salt: What the other engine hashes beside the unit.
            unit: The attribute it hashes.

        Returns:
            The action, an implementation's name when only one can answer.

        Raises:
            NotCarriedError: The parts cannot be written down, or the flag hashes something else already.
        """
        parts = merged(parts)
        if len(parts) == 1:
            return parts[0][0]
        if self.unit is not None and (self.salt, self.unit) != (salt, unit):
            raise NotCarriedError(
                "percentage", "one flag hashes one unit with one salt, and an earlier rule hashes others"
            )
        self.salt, self.unit = salt, unit
        return {"split": {name: percent(millionths) for name, millionths in parts}}

    def rule(self, when: Optional[Mapping], action: Any) -> bool:
        """
        Add a rule.

        Args:
            when: Its condition; None makes it the end of the rules.
            action: An implementation's name, or a mapping.

        Returns:
            Whether that was the end of the rules.
        """
        if when is None:
            self.otherwise = action
            return True
        then = {"serve": action} if isinstance(action, str) else action
        self.rules.append({"name": f"imported-{len(self.rules) + 1}", "when": when, **then})
        return False

    def mapping(self) -> Mapping:
        """
        Returns:
            The flag as a rule file has it.
        """
        written: Mapping = {} if self.enabled else {"enabled": False}
        written["salt"] = self.salt
        if self.unit is not None:
            written["unit"] = self.unit
        if self.requires:
            written["requires"] = self.requires
        if self.rules:
            written["rules"] = self.rules
        return {**written, "otherwise": self.otherwise}


def merged(parts: Parts) -> Parts:
    """
    Join neighbours of one name and drop empty parts.

    Raises:
        NotCarriedError: A name would stand twice, which a rule file's mapping cannot say.
    """
    joined: Parts = []
    for name, millionths in parts:
        if joined and joined[-1][0] == name:
            joined[-1] = (name, joined[-1][1] + millionths)
        elif millionths:
            joined.append((name, millionths))
    if len({name for name, _ in joined}) != len(joined):
        raise NotCarriedError("variations", "one implementation would have two separate parts of the units")
    return joined


def percent(millionths: int) -> Any:
    """
    Returns:
        The percentage: a whole number, or a fraction of at most four decimals.
    """
    whole, rest = divmod(millionths, _MILLIONTHS_PER_PERCENT)
    return float(f"{whole}.{rest:04}") if rest else whole


def implementation(variant: object, listing: Listing) -> str:
    """
    Name the implementation a variant stands for.

    Args:
        variant: The variant's name or value.
        listing: Learns of a name that had to change.

    Returns:
        `rust` for on, true, treatment; `python` for off, false, control and nothing; else the name made valid.

    Raises:
        NotCarriedError: The value is neither a truth value nor a text.
    """
    if variant is not None and not isinstance(variant, (str, bool)):
        raise NotCarriedError(
            f"value of kind {type(variant).__name__}", "a flag names an implementation, it has no values"
        )
    word = str(variant).lower()
    if not variant or word in _CONTROL:
        return PYTHON
    return RUST if word in _CANDIDATE else valid_name(str(variant), listing)


def valid_name(written: str, listing: Listing) -> str:
    """
    Returns:
        The name in lower case, every other character an underscore; a change is listed.
    """
    name = re.sub(r"[^a-z0-9_]", "_", written.lower())
    name = name if re.match(r"[a-z_]", name) else f"_{name}"
    if name != written:
        listing.add(
            f'name "{written}"', "names have lower-case letters, digits and underscores", f'it is called "{name}"'
        )
    return name
