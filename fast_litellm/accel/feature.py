"""
One feature at run time: its counters, its dispatcher, and the candidate and runner it is connected to.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, AbstractSet, Any, Callable, Dict, Mapping, Optional, Tuple, cast

from fast_litellm import events
from fast_litellm.accel.awaited import AwaitedCandidate
from fast_litellm.accel.context import current
from fast_litellm.accel.native import Dispatcher, Tally
from fast_litellm.accel.twins import observer
from fast_litellm.errors import Declined
from fast_litellm.shadow import modes

if TYPE_CHECKING:
    from fast_litellm.accel.native import Shaper
    from fast_litellm.accel.twins import Twins
    from fast_litellm.flags import FlagManager
    from fast_litellm.flags.engine import FlagHandle
    from fast_litellm.shadow import ShadowRunner


RUST = "rust"
"""The name of a pair's first candidate, which is compared unless the rules name another one."""


class Absent:
    """
    Stands for a candidate that the rules name and the seam does not have.

    Args:
        name: What they call it.
    """

    def __init__(self, name: str) -> None:
        self.build = f"no {name}"

    def prepare(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:  # noqa: ARG002 - as every candidate's
        """
        Raises:
            Declined: Always.
        """
        raise Declined("no_such_candidate")

    def run(self, plan: Any, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:  # noqa: ARG002 - there is no plan
        """
        Raises:
            Declined: Always.
        """
        return self.prepare(args, kwargs)


@dataclass(frozen=True)
class Pair:
    """
    What is compared: two implementations of one function, and how to tell whether they agree.

    Args:
        control: The original function.
        candidate: An object with `prepare(args, kwargs)`, `run(plan, args, kwargs)` and `build`, the name of its build.
        comparator: Says whether two outcomes are equal.
        reference: The fingerprint of the control's source.
        effect_free: Running the control again changes nothing.
        profile: By which table of dimensions the shapes of its calls are told: "chat" | "plain".
        request: The parameter whose dict holds the parameters of a chat request, if there is one.
        noise: What is done when the control does not always give the same answer; see `shadow.noise`.
        twins: How coroutine functions with effects on some state are compared; without, they are not.
        further: Other candidates by the names under which rules know them, as the first is known as `rust`.
    """

    control: Callable[..., Any]
    candidate: Any
    comparator: Any
    reference: str
    effect_free: bool
    profile: str = "plain"
    request: Optional[str] = None
    noise: str = "none"
    twins: Optional[Twins] = None
    further: Mapping[str, Any] = field(default_factory=dict)

    @property
    def candidates(self) -> Dict[str, Any]:
        """All candidates by name."""
        return {RUST: self.candidate, **self.further}

    @property
    def is_comparable(self) -> bool:
        """Whether its calls can be compared."""
        return self.effect_free or (self.twins is not None and self.is_asynchronous)

    @property
    def is_asynchronous(self) -> bool:
        """Whether both sides are coroutine functions."""
        return inspect.iscoroutinefunction(self.control)


_WHOLE = 1_000_000

_tallies: Dict[str, Tally] = {}


def tally(name: str) -> Tally:
    """Returns a flag's counters, which go on counting through every installation of a process."""
    return _tallies.setdefault(name, Tally())


class Feature:
    """
    The dispatcher of one flag, connected to rules and shadow while an installation is in force.

    Args:
        name: The flag's name.
        pair: What is compared.
        apart: The control stays under its own name, and the dispatcher stands elsewhere.
    """

    def __init__(self, name: str, pair: Pair, *, apart: bool = False) -> None:
        self.name = name
        self.pair = pair
        self.tally = tally(name)
        self.dispatcher = Dispatcher(
            pair.control, self.tally, effect_free=pair.is_comparable, awaited=pair.is_asynchronous, apart=apart
        )
        self.runner: Optional[ShadowRunner] = None
        self.compared = RUST
        """The candidate that is compared and promoted; evidence and blocks are of its build."""
        self._awaited: Optional[AwaitedCandidate] = None

    @property
    def place(self) -> str:
        """The control's dotted name."""
        return f"{self.pair.control.__module__}.{self.pair.control.__qualname__}"

    @property
    def candidate(self) -> Any:
        """The one that is compared and promoted."""
        return self.named(self.compared)

    def named(self, name: str) -> Any:
        """Returns the candidate that the rules call so; one that declines every call when there is none."""
        return self.pair.candidates.get(name) or Absent(name)

    def connect(self, manager: FlagManager, runner: ShadowRunner) -> None:
        """Starts routing calls by a manager's rules, and comparing with a runner in place of an earlier one."""
        earlier, self.runner = self.runner, runner
        handle, conclude = manager.bind(self.name), manager.guard(self.name).conclude
        candidates = {**self.pair.candidates, self.compared: self.candidate}
        if self.pair.is_asynchronous:
            judge = _judge(handle, conclude)
            candidates = {name: AwaitedCandidate(self, name, runner, judge) for name in candidates}
            self._awaited = candidates[self.compared]
        self.dispatcher.connect(
            handle,
            current,
            candidates.pop(self.compared),
            self._observer(runner),
            self._candidate_failed,
            conclude,
            runner,
            compared=self.compared,
            others=candidates,
        )
        if earlier is not None:
            earlier.close()

    def _observer(self, runner: ShadowRunner) -> Callable[..., Any]:
        twins = self.pair.twins
        return modes.observer(runner) if twins is None else observer(runner, twins, self.pair.control)

    def trust(self, cells: Optional[AbstractSet[str]], reverse_share: float) -> None:
        """
        Say what the candidate may answer of the calls that the rules give it, and how many of them are compared.

        Args:
            cells: The certified ones: a call is the candidate's when all its cells are among them. None trusts it with
                every call, as rules do that name it outright.
            reverse_share: Of the calls it answers, in [0, 1].
        """
        runner = self.runner
        shaper = None if cells is None or runner is None else cast("Shaper", runner.shaper)
        self.dispatcher.certify(shaper, frozenset(cells or ()))
        if self._awaited is not None:
            self._awaited.reverse_share = reverse_share
        else:
            self.dispatcher.compare_served(round(reverse_share * _WHOLE))

    def disconnect(self) -> None:
        """Stops routing: the dispatcher is the control until it is connected again."""
        self.dispatcher.disconnect()
        if self.runner is not None:
            self.runner.close()
            self.runner = None

    def candidate_failed(self, kind: str) -> None:
        """Counts and tells that a candidate which was to serve has failed with an exception of that class."""
        self.tally.fail(kind)
        self._candidate_failed(kind)

    def _candidate_failed(self, kind: str) -> None:
        events.tell("accel", "error", events.CANDIDATE_FAILED, feature=self.name, exception_class=kind)


def _judge(handle: FlagHandle, conclude: Callable[..., object]) -> Callable[[int, bool], None]:
    """Counts one served call for a flag's guard, and passes on what it concludes."""

    def judge(nanos: int, is_error: bool) -> None:
        finding = handle.record("rust", nanos, is_error)
        if finding is not None:
            conclude(*finding)

    return judge
