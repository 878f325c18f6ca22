"""
The only importer of the compiled module.

Everything native reaches the rest of the package from here: accel imports the names below, flags and shadow are handed
theirs through the ports they define, so that neither depends on how they were compiled.
"""

from __future__ import annotations

import hashlib
import warnings
from importlib import metadata
from pathlib import Path

from fast_litellm.errors import NativeModuleError
from fast_litellm.flags import engine as flags_engine
from fast_litellm.shadow import engine as shadow_engine

try:
    from fast_litellm import _native
except ImportError as error:
    if (Path(__file__).parents[2] / "Cargo.toml").exists():
        raise NativeModuleError(
            "Python imports fast_litellm from a checkout, where nothing is compiled; "
            "start it from another directory, or use the command `fast-litellm`"
        ) from error
    raise NativeModuleError(
        f"the compiled part of fast-litellm cannot be loaded ({error}); install a wheel for this Python"
    ) from error

BUILD: str = f"{_native.__version__}+{hashlib.sha256(Path(_native.__file__).read_bytes()).hexdigest()[:12]}"
"""Names this very binary: evidence gathered on one build says nothing about another."""

VERSION: str = _native.__version__
DEBUG_BUILD: bool = _native.DEBUG_BUILD
WALK_DEPTH: int = _native.WALK_DEPTH
"""Blocks of a message that nest deeper are left to the control."""

Answer = _native.Answer
Bell = _native.Bell
ConnectionPool = _native.ConnectionPool
Constructor = _native.Constructor
Dispatcher = _native.Dispatcher
Encoding = _native.Encoding
Exchange = _native.Exchange
IdentityGuard = _native.IdentityGuard
Job = _native.Job
Observer = _native.Observer
PoolError = _native.PoolError
Recipe = _native.Recipe
Shaper = _native.Shaper
Standings = _native.Standings
Tally = _native.Tally
Task = _native.Task
Ticket = _native.Ticket
TokenCounter = _native.TokenCounter
Transformer = _native.Transformer
WindowPlan = _native.WindowPlan
WindowStore = _native.WindowStore
begin_connections = _native.begin_connections
count_batch = _native.count_batch
count_call = _native.count_call
cost_standings = _native.cost_standings
deployment_ids = _native.deployment_ids
freeze = _native.freeze
holders = _native.holders
is_in_state = _native.is_in_state
latency_standings = _native.latency_standings
least_busy = _native.least_busy
permutation = _native.permutation
plain_text = _native.plain_text
secret_starts = _native.secret_starts
share_instances = _native.share_instances
telling_chunks = _native.telling_chunks
token_call = _native.token_call
told_by_delta = _native.told_by_delta
shuffle_weights = _native.shuffle_weights
usage_standings = _native.usage_standings


def _check_version() -> None:
    installed = metadata.version("fast-litellm")
    if installed != VERSION:
        raise NativeModuleError(
            f"the compiled part is version {VERSION}, the package {installed}; reinstall so that they agree"
        )


def _warn_about_debug_build() -> None:
    if DEBUG_BUILD:
        message = "fast_litellm was not compiled in release mode: it is slow and refuses to bench"
        warnings.warn(message, RuntimeWarning, stacklevel=2)


_check_version()
_warn_about_debug_build()
flags_engine.use(_native)
shadow_engine.use(_native)
