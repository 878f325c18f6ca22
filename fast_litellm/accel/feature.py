"""
One feature at run time: its counters, its dispatcher, and the candidate and runner it is connected to.
"""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, AbstractSet, Any, Callable, Dict, Optional, cast

from fast_litellm import events
from fast_litellm.accel.awaited import AwaitedCandidate
from fast_litellm.accel.context import current
from fast_litellm.accel.native import Dispatcher, Tally
from fast_litellm.shadow import modes

if TYPE_CHECKING:
    from fast_litellm.accel.native import Shaper
    from fast_litellm.flags import FlagManager
    from fast_litellm.shadow import ShadowRunner


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
    """

    control: Callable[..., Any]
    candidate: Any
    comparator: Any
    reference: str
    effect_free: bool
    profile: str = "plain"
    request: Optional[str] = None

    @property
    def is_asynchronous(self) -> bool:
        """Whether both sides are coroutine functions."""
        return inspect.iscoroutinefunction(self.control)


# What tools read of a function beside its name and documentation.
_FACE = (*functools.WRAPPER_ASSIGNMENTS, "__code__", "__defaults__", "__kwdefaults__")


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
    """

    def __init__(self, name: str, pair: Pair) -> None:
        self.name = name
        self.pair = pair
        self.tally = tally(name)
        self.dispatcher = Dispatcher(pair.control, self.tally, effect_free=pair.effect_free)
        self.runner: Optional[ShadowRunner] = None
        functools.update_wrapper(self.dispatcher, pair.control, _FACE)

    @property
    def place(self) -> str:
        """The control's dotted name."""
        return f"{self.pair.control.__module__}.{self.pair.control.__qualname__}"

    def connect(self, manager: FlagManager, runner: ShadowRunner) -> None:
        """Starts routing calls by a manager's rules, and comparing with a runner in place of an earlier one."""
        earlier, self.runner = self.runner, runner
        self.dispatcher.connect(
            manager.bind(self.name),
            current,
            self._serving(),
            modes.observer(runner),
            self._candidate_failed,
            manager.guard(self.name).conclude,
            None if inspect.iscoroutinefunction(self.pair.control) else runner,
        )
        if earlier is not None:
            earlier.close()

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
        self.dispatcher.compare_served(round(reverse_share * _WHOLE))

    def disconnect(self) -> None:
        """Stops routing: the dispatcher is the control until it is connected again."""
        self.dispatcher.disconnect()
        if self.runner is not None:
            self.runner.close()
            self.runner = None

    def _serving(self) -> Any:
        pair = self.pair
        return AwaitedCandidate(pair, self.tally, self._candidate_failed) if pair.is_asynchronous else pair.candidate

    def _candidate_failed(self, kind: str) -> None:
        events.tell("accel", "error", events.CANDIDATE_FAILED, feature=self.name, exception_class=kind)
