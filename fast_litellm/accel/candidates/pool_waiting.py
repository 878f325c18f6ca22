"""Waiting for coroutines of pyreqwest's, so that whoever interrupts it is heard, and hears of that himself."""

from __future__ import annotations

from typing import Any, Awaitable, Generator, Optional


class Cancellable:
    """
    Awaits something of pyreqwest's. When that is interrupted, what has interrupted it comes out, as from the original.

    pyreqwest's coroutines raise a `CancelledError` of their own, without the message by which anyio tells its own
    cancellations from others; and where an answer has come already they return it as if nobody had cancelled them.

    Args:
        awaited: A coroutine of pyreqwest's.
    """

    def __init__(self, awaited: Awaitable[Any]) -> None:
        self._awaited = awaited

    def __await__(self) -> Generator[Any, None, Any]:
        """Steps through the coroutine until it is over or interrupted."""
        steps: Any = self._awaited.__await__()
        while True:
            try:
                waited = steps.send(None)
            except StopIteration as done:
                return done.value
            try:
                yield waited
            except GeneratorExit:
                steps.close()
                raise
            except BaseException as error:
                interruptions = [error]
                break
        yield from _ended(steps, interruptions[0])
        raise interruptions.pop()


def _ended(steps: Any, interruption: Optional[BaseException]) -> Generator[Any, None, None]:
    """Has a coroutine end. What it says to that does not matter: it was interrupted, and gives back what it has."""
    step, sent = steps.throw, interruption
    while True:
        try:
            yield step(sent)
        except BaseException:
            return
        step, sent = steps.send, None
