"""
The stage the demo plays on: one rule file that is rewritten between acts, one client, the control, and the counters.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable

import fast_litellm
from fast_litellm.cli.demo.client import differences

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from fast_litellm.cli.demo.client import Client
    from fast_litellm.cli.demo.traffic import Call

FEATURE = "token_counting"

# Rules are seen within a second; a comparison takes milliseconds. What takes longer than this will not happen.
_PATIENCE_S = 20
_POLL_S = 0.02


@dataclass(frozen=True)
class Counters:
    """
    What the feature has done, or did between two readings.

    Args:
        python: Calls the original answered.
        rust: Calls the candidate answered.
        offered: Calls offered for comparison.
        compared: Comparisons made.
        diverged: Comparisons that differed.
        shed: Reason to number of comparisons that could not be made.
        sampled_out: Calls that were not drawn for comparison.
        in_flight: Comparisons still to be made.
        declined: Reason to number of calls the candidate handed back before it began.
    """

    python: int = 0
    rust: int = 0
    offered: int = 0
    compared: int = 0
    diverged: int = 0
    sampled_out: int = 0
    in_flight: int = 0
    shed: Mapping[str, int] = field(default_factory=dict)
    declined: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, feature: Mapping[str, Any]) -> Counters:
        """
        Args:
            feature: One feature of `fast_litellm.status()`; empty when it has done nothing yet.

        Returns:
            Its counters.
        """
        served = feature.get("served", {})
        plain = {name: feature.get(name, 0) for name in ("offered", "compared", "diverged", "sampled_out", "in_flight")}
        return cls(
            python=served.get("python", 0),
            rust=served.get("rust", 0),
            shed=dict(feature.get("shed", {})),
            declined=dict(feature.get("declined", {})),
            **plain,
        )

    def since(self, earlier: Counters) -> Counters:
        """
        Returns:
            What happened between an earlier reading and this one. `in_flight` is a level and stays what it is.
        """
        numbers = ("python", "rust", "offered", "compared", "diverged", "sampled_out")
        return Counters(
            **{name: getattr(self, name) - getattr(earlier, name) for name in numbers},
            in_flight=self.in_flight,
            shed=_difference(self.shed, earlier.shed),
            declined=_difference(self.declined, earlier.declined),
        )

    @property
    def accounted(self) -> int:
        """Where every offered call went; equal to `offered` or calls were lost."""
        return self.sampled_out + self.compared + sum(self.shed.values()) + self.in_flight


def _difference(later: Mapping[str, int], earlier: Mapping[str, int]) -> dict[str, int]:
    counts = {name: count - earlier.get(name, 0) for name, count in later.items()}
    return {name: count for name, count in counts.items() if count}


class Stage:
    """
    Plays traffic under changing rules.

    Args:
        litellm: The module, patched or not.
        client: Sends calls.
        rules: Path of the rule file.
        progress: Called after each call.
    """

    def __init__(self, litellm: Any, client: Client, rules: Path, progress: Callable[[], None]) -> None:
        self.litellm = litellm
        self.control: Callable[..., int] = litellm.litellm_core_utils.token_counter.token_counter
        self.calls = 0
        self._client = client
        self._rules = rules
        self._progress = progress

    def install(self, rules: str, candidates: Mapping[str, Any] | None = None) -> None:
        """
        Write the rule file and install by it.

        Args:
            rules: The file's text.
            candidates: Stand-ins for the built-in candidates.
        """
        self._rules.write_text(rules, encoding="utf-8")
        fast_litellm.install(self._rules, candidates=candidates)

    def change_rules(self, rules: str, stage: str) -> None:
        """
        Write the rule file as an editor does, and wait until the running process has seen it.

        Args:
            rules: The file's text.
            stage: The feature's stage in it.

        Raises:
            TimeoutError: It was not seen.
        """
        draft = self._rules.with_suffix(".draft")
        draft.write_text(rules, encoding="utf-8")
        draft.replace(self._rules)
        wait_for(lambda: self._feature().get("stage") == stage, f"the rules to say {stage}")

    def counters(self) -> Counters:
        """
        Returns:
            The feature's counters in this process.
        """
        return Counters.of(self._feature())

    def settled(self) -> Counters:
        """
        Returns:
            The counters once nothing is in flight any more.

        Raises:
            TimeoutError: Comparisons are stuck.
        """
        wait_for(lambda: self.counters().in_flight == 0, "comparisons to end")
        return self.counters()

    def _feature(self) -> dict[str, Any]:
        feature: dict[str, Any] = fast_litellm.status()["features"].get(FEATURE, {})
        return feature

    def send(self, call: Call) -> list[str]:
        """
        Send one call as its user.

        Args:
            call: What to send.

        Returns:
            One line for each count in the reply that is not the control's.
        """
        with fast_litellm.context(unit=call.user):
            reply = self._client.send(call)
        self.calls += 1
        self._progress()
        return list(differences(call, reply, self.control))

    def send_all(self, calls: Iterable[Call]) -> list[str]:
        """
        Send calls one after the other.

        Returns:
            Every count that is not the control's.
        """
        return [difference for call in calls for difference in self.send(call)]


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """
    Wait until something holds.

    Args:
        condition: Asked every 20 milliseconds.
        what: What is waited for, for the error.

    Raises:
        TimeoutError: It did not hold within 20 seconds.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {_PATIENCE_S} s for {what}")
        time.sleep(_POLL_S)
