"""
What the shadow may keep in memory: 16 MiB of a process, however many features it compares.

    6 MiB   copies of calls that wait for their comparison; what finds no room is counted as "memory"
    3 MiB   divergence classes and their samples; what finds no room is counted in the class "overflow"
    4 MiB   the ring: counters of calls by shape, and records, in a file that is mapped
    3 MiB   sketches of distinct inputs, and what samples and logs remember of shapes and classes

Libraries that are loaded for the ledger, which is SQLAlchemy above all, are not among them.
"""

from __future__ import annotations

from fast_litellm.shadow import engine

_MIB = 1024 * 1024

MOST = 16 * _MIB
COPIES = 6 * _MIB


def of_copies() -> engine.Memory:
    """
    Returns:
        The memory that copies of waiting calls share.
    """
    return engine.current().Memory(COPIES)
