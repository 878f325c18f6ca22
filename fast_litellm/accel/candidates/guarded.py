"""
What candidates share that depend on nothing but their arguments and the code of the reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Tuple

if TYPE_CHECKING:
    from fast_litellm.accel import native


class Guarded:
    """
    Knows whether the reference stands as it was loaded.

    Args:
        untouched: Notices that somebody has replaced something of the reference.
    """

    def __init__(self, untouched: native.IdentityGuard) -> None:
        self._untouched = untouched

    def premises(self, plan: Any, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:  # noqa: ARG002 - as every candidate's
        """
        Returns:
            What is another value once something of the reference has been replaced, even if it has been put back.

        Raises:
            Declined: Something of it is replaced now.
        """
        return self._untouched.state()
