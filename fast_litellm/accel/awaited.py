"""
A candidate that serves by being awaited: what it raises comes out only then, when the dispatcher is done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, Tuple

from fast_litellm.errors import Declined
from fast_litellm.shadow.comparators import is_panic

if TYPE_CHECKING:
    from fast_litellm.accel.feature import Pair
    from fast_litellm.accel.native import Tally


class AwaitedCandidate:
    """
    Serves a pair of coroutine functions. Python answers when the candidate declines, and, where running both changes
    nothing, when it fails.

    Args:
        pair: The two.
        tally: The feature's counters.
        failed: Called with the class name of what a candidate failed with.
    """

    def __init__(self, pair: Pair, tally: Tally, failed: Callable[[str], None]) -> None:
        self.build = pair.candidate.build
        self._pair = pair
        self._tally = tally
        self._failed = failed

    def prepare(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
        """
        Returns:
            The candidate's plan.
        """
        return self._pair.candidate.prepare(args, kwargs)

    async def run(self, plan: Any, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
        """
        Returns:
            What the candidate returns, or the control in its place.

        Raises:
            BaseException: What the one that answers raises; a cancellation is never taken for a failure.
        """
        try:
            return await self._pair.candidate.run(plan, args, kwargs)
        except Declined as declined:
            self._tally.decline(declined.reason)
        except BaseException as error:
            if not (self._pair.effect_free and _is_failure(error)):
                raise
            self._tally.fail(type(error).__name__)
            self._failed(type(error).__name__)
        self._tally.serve("python")
        return await self._pair.control(*args, **kwargs)


def _is_failure(error: BaseException) -> bool:
    return isinstance(error, Exception) or is_panic(type(error))
