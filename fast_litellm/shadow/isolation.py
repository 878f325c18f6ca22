"""
A candidate in a process of its own, where it may loop for ever or abort without harm to anybody.

The worker process is started when it is first needed, killed when a call passes its deadline, and started again a
bounded number of times, ever more slowly. Plain values cross as they are; everything else is not compared.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any, Callable, NoReturn, Optional, Tuple

from fast_litellm.errors import Declined
from fast_litellm.shadow import forking, isolated, machinery
from fast_litellm.shadow.candidate import Arguments, Candidate, Crashed, FunctionCandidate, Keywords, TimedOut, Withheld
from fast_litellm.shadow.child import Child
from fast_litellm.shadow.restarts import Restarts

_MS_PER_S = 1_000
_NS_PER_MS = 1_000_000


class Raised(BaseException):
    """
    What a candidate raised in its worker process.

    Args:
        error_type: The class.
        text: Its `str()` there.
    """

    def __init__(self, error_type: type, text: str) -> None:
        super().__init__()
        self.error_type = error_type
        self.text = text


class Isolated:
    """
    A candidate that is prepared here and run there.

    Args:
        candidate: A `FunctionCandidate` of a function that can be imported, or any other with a `factory`.
        deadline_ms: A call that takes longer is killed.
        patience_ms: How long to wait for a process that starts; it goes on starting meanwhile.
    """

    def __init__(self, candidate: Candidate, deadline_ms: float, patience_ms: float) -> None:
        self.build = candidate.build
        self.cpu_ns = 0
        """What the worker processes have used for calls so far; of a killed one, its whole deadline."""
        self._candidate = candidate
        self._deadline_s = deadline_ms / _MS_PER_S
        self._patience_s = patience_ms / _MS_PER_S
        self._name = name(candidate)
        self._portable: Callable[[Any], Any] = getattr(candidate, "portable", lambda plan: plan)
        self._child: Optional[Child] = None
        self._restarts = Restarts()
        self._is_closed = False
        forking.restart_in_children(self)

    def after_fork(self) -> None:
        """Starts a process of its own when it needs one; the inherited one is the parent's."""
        child, self._child, self._restarts = self._child, None, Restarts()
        if child is not None:
            child.disown()

    def prepare(self, args: Arguments, kwargs: Keywords) -> Any:
        """
        Returns:
            The candidate's plan, made here on the caller's path.
        """
        return self._candidate.prepare(args, kwargs)

    def make_ready(self) -> None:
        """
        Have a worker process waiting, so that starting one is not taken for a slow candidate.

        Raises:
            Withheld: There is none, and why.
        """
        if self._is_closed:
            raise Withheld("shutdown")
        if self._name is None:
            raise Withheld("not_importable", is_final=True)
        child = self._child or self._start(*self._name)
        self._child = child
        try:
            is_ready = child.is_ready(self._patience_s)
        except (EOFError, OSError):
            self._end(child)
            raise Withheld("isolation_failed") from None
        if not is_ready:
            raise Withheld("starting")

    def run(self, plan: Any, args: Arguments, kwargs: Keywords) -> Any:
        """
        Run the candidate. Changes that it makes to its arguments are made to these, too.

        Returns:
            What the candidate returned.

        Raises:
            Declined: The candidate does not cover the call.
            Raised: The candidate raised something.
            TimedOut: It was killed at its deadline.
            Crashed: Its process died.
            Withheld: Something in the call or in the answer cannot cross.
        """
        try:
            request = isolated.pack((self._portable(plan), args, kwargs))
        except (isolated.NotPlainError, ValueError):
            raise Withheld("unsnapshotable") from None
        word, what, left_args, left_kwargs, spent = self._ask(request)
        self.cpu_ns += spent
        self._restarts.succeeded()
        _become(args, left_args)
        _become(tuple(kwargs.values()), tuple(map(left_kwargs.get, kwargs)))
        return what if word == "value" else _raise(word, what)

    def abandon(self) -> None:
        """Ends the worker process in the middle of whatever it does; the next call has another."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()

    def close(self) -> None:
        """Ends the worker process for good."""
        self._is_closed = True
        self.abandon()

    def _ask(self, request: bytes) -> Tuple[str, Any, Arguments, Keywords, int]:
        child = self._child
        if child is None:
            raise Withheld("shutdown")
        try:
            answer: Optional[Tuple[str, Any, Arguments, Keywords, int]] = child.ask(request, self._deadline_s)
        except (EOFError, OSError):
            if self._end(child):
                raise Crashed from None
            raise Withheld("shutdown") from None
        if answer is None:
            self._end(child)
            self.cpu_ns += int(self._deadline_s * _MS_PER_S * _NS_PER_MS)
            raise TimedOut
        return answer

    def _start(self, candidate: str, is_factory: bool) -> Child:
        refusal = self._restarts.refusal()
        if refusal is not None:
            raise Withheld(refusal, is_final=self._restarts.is_over)
        try:
            return Child(candidate, self._deadline_s, is_factory=is_factory)
        except (OSError, TypeError, ValueError, subprocess.SubprocessError) as error:
            machinery.failed("isolate", error)
            self._restarts.failed()
            raise Withheld("isolation_failed") from None

    def _end(self, child: Child) -> bool:
        """Returns whether the process had not been ended from another thread, which says nothing of the candidate."""
        is_own = self._child is child
        if is_own:
            self._child = None
            self._restarts.failed()
        child.kill()
        return is_own


def name(candidate: Candidate) -> Optional[Tuple[str, bool]]:
    """
    Returns:
        The candidate's `module:qualname`, and whether that makes it; None when another process could not find it.
    """
    factory = getattr(candidate, "factory", None)
    if factory is not None:
        return factory, True
    function = getattr(candidate, "function", None) if isinstance(candidate, FunctionCandidate) else None
    module, qualname = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
    if module in {None, "__main__"} or _find(str(module), qualname) is not function:
        return None
    return f"{module}:{qualname}", False


def _find(module: str, qualname: str) -> Any:
    """What has a name in a module that is imported already; None without."""
    found: Any = sys.modules.get(module)
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return found


def _raise(word: str, what: Any) -> NoReturn:
    if word == "declined":
        raise Declined(what)
    if word == "unsnapshotable":
        raise Withheld("unsnapshotable")
    module, qualname, text = what
    if "<locals>" in qualname:  # this side's class of that name could be the same or another
        raise Withheld("unsnapshotable")
    raise Raised(_class(module, qualname), text)


def _class(module: str, qualname: str) -> type:
    """A class that is not known on this side is not one that the control could have raised."""
    found = _find(module, qualname)
    if isinstance(found, type):
        return found
    return type(qualname.rpartition(".")[2], (BaseException,), {"__module__": module})


def _become(old: Any, new: Any) -> None:
    """Gives a value the content of another, which was a copy of it at first."""
    if type(old) is not type(new):
        return
    if isinstance(old, tuple):
        for one, other in zip(old, new):
            _become(one, other)
    elif isinstance(old, list):
        old[:] = new
    elif isinstance(old, (dict, set)):
        old.clear()
        old.update(new)
