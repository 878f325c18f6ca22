"""
What can be run beside a control.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Protocol, Tuple

Arguments = Tuple[Any, ...]
Keywords = Dict[str, Any]
Call = Tuple[Arguments, Keywords]


class Candidate(Protocol):
    """
    Another implementation of a control, asked in two steps.

    `prepare` runs on the caller's path with the caller's own arguments: it reads whatever live state the answer
    depends on, keeps no reference to the arguments, and raises `Declined` when the call is not one it covers. `run`
    is a pure function of the plan and of a copy of the arguments, possibly later and on another thread.

    Where a call cannot be copied as it is, or running the control again would change something, the candidate also
    has a `twin(args, kwargs)`: the call as it may be copied and run any number of times, by either side. It runs on
    the caller's path, before the control, and raises `Unsnapshotable` when there is none.

    Where the control depends on more than its arguments, the candidate may also have a `premises(plan, args, kwargs)`:
    a value that is another one once anything has changed that the control depends on. It raises `Declined` when that is
    no longer what the plan was made of. A control that runs later than its call is believed only while these stand.

    To be run in a worker process it also has a `factory`, the `module:qualname` of something that takes no arguments
    and makes an object with `run`; and, unless its plans are plain values, `portable(plan)`, which turns one into the
    plain value that this `run` takes.
    """

    @property
    def build(self) -> str: ...

    def prepare(self, args: Arguments, kwargs: Keywords, /) -> Any: ...

    def run(self, plan: Any, args: Arguments, kwargs: Keywords, /) -> Any: ...


class TimedOut(BaseException):
    """A run of a candidate was stopped at its deadline."""


class Crashed(BaseException):
    """The process in which a candidate ran has died."""


class Withheld(Exception):  # noqa: N818 - a signal, not an error: the comparison is shed and counted
    """
    A candidate cannot be run now, and that says nothing about it.

    Args:
        reason: The word under which the call is counted.
        is_final: It will never be run any more in this process.
    """

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_final = is_final


class FunctionCandidate:
    """
    A plain function as a candidate: it covers every call and needs no live state.

    Args:
        function: Takes the control's arguments.
        build: Names this build of it; evidence belongs to one build.
    """

    def __init__(self, function: Callable[..., Any], build: str = "unversioned") -> None:
        self.build = build
        self.function = function

    def prepare(self, args: Arguments, kwargs: Keywords) -> None:
        """Nothing is to be read beforehand."""

    def run(self, plan: None, args: Arguments, kwargs: Keywords) -> Any:  # noqa: ARG002 - there is no plan
        """
        Returns:
            What the function returns.
        """
        return self.function(*args, **kwargs)
