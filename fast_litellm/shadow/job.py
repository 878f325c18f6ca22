"""
A call on its way from its caller to its comparison.
"""

from __future__ import annotations

from typing import Any, Optional, Protocol

from fast_litellm.shadow import engine
from fast_litellm.shadow.candidate import Call
from fast_litellm.shadow.observation import Observation


class Job(Protocol):
    """
    A copied call, which waits for its control or, with a ticket, for its comparison. An observer makes it; its
    arguments and what its control did become Python objects when they are asked for.
    """

    plan: Any
    control: Observation

    @property
    def shape(self) -> int: ...

    @property
    def call(self) -> Call: ...

    @property
    def size(self) -> int: ...

    @property
    def reserved(self) -> float: ...

    @property
    def generation(self) -> int: ...

    @property
    def served(self) -> Optional[Observation]: ...

    @property
    def ticket(self) -> Optional[engine.Ticket]: ...

    @property
    def queued_at(self) -> int: ...
