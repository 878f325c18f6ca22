"""
A call on its way from its caller to its comparison.
"""

from __future__ import annotations

from typing import Any, Optional

from fast_litellm.shadow import engine
from fast_litellm.shadow.candidate import Call
from fast_litellm.shadow.observation import Observation


class Job:
    """A copied call, which waits for its control or, with a ticket, for its comparison."""

    __slots__ = ("call", "control", "generation", "plan", "queued_at", "reserved", "served", "shape", "size", "ticket")

    def __init__(self, shape: int, plan: Any, call: Call, *, size: int, reserved: float, generation: int) -> None:
        self.shape = shape
        self.ticket: Optional[engine.Ticket] = None
        self.plan = plan
        self.call = call
        self.size = size
        self.reserved = reserved
        self.generation = generation
        self.control = Observation()
        self.served: Optional[Observation] = None
        self.queued_at = 0
