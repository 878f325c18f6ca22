"""
How a candidate is run beside its control: the one place where a mode is chosen.

    off_path    on the worker thread, later; the default
    inline      like off_path, but a small share of the calls is run on the caller's own thread, both sides in random
                order, for the evidence about speed
    isolated    like off_path, but the candidate runs in a process of its own, and is killed at its deadline

Coroutine functions are never run inline: both sides would have to be awaited in the caller's task.
"""

from __future__ import annotations

import functools
import inspect
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Callable

from fast_litellm.shadow import asynchronous, inline
from fast_litellm.shadow.experiment import MODES, Experiment, Limits
from fast_litellm.shadow.isolation import Isolated

if TYPE_CHECKING:
    from fast_litellm.shadow.runner import ShadowRunner

__all__ = ["MODES", "arrange", "observer"]

_START_SHARE = 1 / 4  # of the time for a comparison: it may have to start two processes


def arrange(experiment: Experiment, limits: Limits) -> Experiment:
    """
    Args:
        experiment: The two sides as they are.
        limits: With the mode.

    Returns:
        The two sides as plain functions of this thread, whatever they are and wherever they run.
    """
    arranged = experiment
    if inspect.iscoroutinefunction(experiment.control):
        arranged = asynchronous.blocking(experiment, limits)
    if limits.mode == "isolated":
        patience_ms = limits.deadline_ms * limits.patience * _START_SHARE
        arranged = replace(arranged, candidate=Isolated(experiment.candidate, limits.deadline_ms, patience_ms))
    return arranged


def observer(runner: ShadowRunner) -> Callable[..., Any]:
    """
    Returns:
        What answers a shadowed call: a callable of `(args, kwargs, control)`, the control being optional.
    """
    if inspect.iscoroutinefunction(runner.experiment.control):
        return functools.partial(asynchronous.observe, runner)
    return inline.Inline(runner).observe if runner.mode == "inline" else runner.observer
