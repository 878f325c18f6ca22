"""
How a candidate with state of its own is compared: both sides run on twins of the state, never on the state itself.

A call of such a seam reads and changes something that outlives it, so running it once more would change that once
more. What the call touches is copied before either side runs. Whoever answers the caller works on what is real; all
other runs, of the control as of the candidate, work on twins made of that copy. So a call may be compared whatever came
before it, and one that is not compared spoils none that comes after.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Awaitable, Callable, Dict, Optional, Protocol, Tuple

from fast_litellm.errors import Declined
from fast_litellm.shadow import asynchronous, machinery

if TYPE_CHECKING:
    from fast_litellm.shadow import ShadowRunner
    from fast_litellm.shadow.candidate import Call, Candidate
    from fast_litellm.shadow.job import Job


class Twins(Protocol):
    """What the candidate of a seam with state brings; both sides are coroutine functions."""

    candidate: Candidate
    """The candidate for calls on twins. Of any other call, its `prepare` says why it has no twin."""

    def take(self, args: Tuple[Any, ...], kwargs: Dict[str, Any], /, *, follows: bool) -> Call:
        """
        Args:
            args: The caller's positional arguments.
            kwargs: The caller's keyword arguments.
            follows: The control is about to answer, and the candidate's own state is to follow it.

        Returns:
            The call on a twin, of which the shape is the same; `freeze` can copy it.

        Raises:
            Declined: The candidate does not cover the call, or it cannot be compared.
        """

    async def control(self, *args: Any, **kwargs: Any) -> Any:
        """
        Returns:
            What the control does with a call on a twin.
        """

    def without_flaw(self, call: Call, /) -> Optional[Call]:
        """
        Returns:
            The call on a twin as it would be without a known flaw of the control's; None if that makes no difference.
        """


class TwinnedRunner:
    """
    Compares calls on twins, in place of the calls themselves.

    Args:
        runner: Of an experiment with twins.
        twins: Makes them.
        follows: The candidate's own state follows what the control answers.
    """

    def __init__(self, runner: ShadowRunner, twins: Twins, *, follows: bool) -> None:
        self.clock = runner.clock
        self.submit = runner.submit
        self.submit_served = runner.submit_served
        self.abandon = runner.abandon
        self.experiment = runner.experiment
        self._prepare = runner.try_to_prepare
        self._twins = twins
        self._follows = follows

    def try_to_prepare(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Optional[Job]:
        """
        Returns:
            What the runner makes of a call; one that has no twin is counted there as declined.
        """
        try:
            call = self._twins.take(args, kwargs, follows=self._follows)
        except Declined:
            call = (args, kwargs)
        except BaseException as error:
            machinery.failed("twin", error)
            call = (args, kwargs)
        return self._prepare(*call)


def observer(
    runner: ShadowRunner, twins: Twins, control: Callable[..., Awaitable[Any]]
) -> Callable[..., Awaitable[Any]]:
    """
    Args:
        runner: Of an experiment with twins.
        twins: Makes them.
        control: The original function, which answers.

    Returns:
        What answers a shadowed call: a coroutine function of `(args, kwargs, control)`, the control being optional.
    """
    twinned: Any = TwinnedRunner(runner, twins, follows=True)

    def observe(
        args: Tuple[Any, ...], kwargs: Dict[str, Any], measured: Optional[Callable[..., Awaitable[Any]]] = None
    ) -> Awaitable[Any]:
        return asynchronous.observe(twinned, args, kwargs, measured or control)

    return observe
