"""
A candidate of `routing`: the weighted draw of simple-shuffle. What is drawn, `random` draws.
"""

from __future__ import annotations

import logging
from typing import Any, Dict, NamedTuple, Tuple

from fast_litellm.accel import native
from fast_litellm.accel.candidates import deployments
from fast_litellm.accel.candidates.calls import bound
from fast_litellm.accel.candidates.deployments import Deployments, Selection
from fast_litellm.accel.fingerprint import Source
from fast_litellm.errors import Declined

SOURCES: Tuple[Source, ...] = (
    Source("litellm.router_strategy.simple_shuffle", ("simple_shuffle", "_scoped_weights", "_metric_weight")),
)
"""The parts of LiteLLM that this candidate reproduces."""


class _Call(NamedTuple):
    """The control's parameters, bound."""

    resolve_model_alias: Any
    healthy_deployments: Any
    model: Any
    request_kwargs: Any


class ShuffleCandidate(Selection):
    """
    Draws as the reference does, or declines.

    Args:
        reference: The loaded module `litellm.router_strategy.simple_shuffle`.
        semantics: Names the rules that hold; there is one set.
    """

    def __init__(self, reference: Any, semantics: str) -> None:  # noqa: ARG002 - as every candidate's
        super().__init__(reference, SOURCES, "simple_shuffle")

    def prepare(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> None:
        """
        Check that the call is one that is reproduced.

        Raises:
            Declined: It is not.
        """
        self._untouched.check()
        if self._reference._ROUTER_LOGGER.isEnabledFor(logging.INFO):
            raise Declined("verbose")
        call = bound(_Call, args, kwargs)
        deployments.check(call.healthy_deployments)
        if not call.healthy_deployments:
            raise Declined("no_deployments")
        if call.request_kwargs is not None:
            deployments.check([], call.request_kwargs)
            if call.request_kwargs.get("_router_weights") is not None:
                raise Declined("router_weights")

    def twin(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Tuple[Tuple[Any, ...], Dict[str, Any]]:
        """
        Returns:
            The call without the request, whose weights were declined, so that no alias matters either.
        """
        call = bound(_Call, args, kwargs)
        return (str, Deployments(call.healthy_deployments), call.model, None), {}

    def run(self, plan: None, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:  # noqa: ARG002 - there is no plan
        """
        Returns:
            The deployment that was drawn.

        Raises:
            Declined: A deployment is not one that is reproduced.
        """
        call = bound(_Call, args, kwargs)
        random = self._reference.random
        sums = native.shuffle_weights(call.healthy_deployments)
        call.resolve_model_alias(call.model)
        if sums is None:
            return random.choice(call.healthy_deployments)
        return random.choices(call.healthy_deployments, cum_weights=sums)[0]
