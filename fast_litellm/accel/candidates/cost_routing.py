"""
The candidate of `async_routing`: the selection by lowest cost, with one table of ids instead of a search for each.

Usage is read from LiteLLM's cache as the reference reads it, and what the reference writes into it is written. In
shadow both sides have a cache of their own, which holds a copy of what the real one held.
"""

from __future__ import annotations

import importlib
import logging
from typing import Any, Dict, NamedTuple, Tuple

from fast_litellm.accel import native
from fast_litellm.accel.candidates import deployments
from fast_litellm.accel.candidates.calls import bound
from fast_litellm.accel.candidates.deployments import Deployments, Selection
from fast_litellm.accel.fingerprint import Source
from fast_litellm.errors import Declined, Unsnapshotable

_ENTRY = "LowestCostLoggingHandler.async_get_available_deployments"
_HELPERS = ("_deployment_cost_map_rates", "_cost_map", "_declares_token_price", "_as_rate")
SOURCES: Tuple[Source, ...] = (
    Source("litellm.router_strategy.lowest_cost", (_ENTRY, *_HELPERS)),
    Source("litellm.router_utils.deployment_pricing"),
    Source("litellm.litellm_core_utils.deployment_pricing"),
    Source("litellm._internal_context", ("service_target", "with_service_target")),
)
"""The parts of LiteLLM that this candidate reproduces; releases have the second or the third."""


class _Call(NamedTuple):
    """The control's parameters, bound."""

    handler: Any
    model_group: Any
    healthy_deployments: Any
    messages: Any = None
    input: Any = None
    request_kwargs: Any = None

    @property
    def key(self) -> str:
        """Under which the usage of the group's deployments is kept."""
        return f"cost_map:{self.model_group}"


class _Cache:
    """Holds what LiteLLM's cache held of one group; every reader gets a copy of it."""

    def __init__(self, usage: Any) -> None:
        self._usage = usage

    async def async_get_cache(self, key: str) -> Any:  # noqa: ARG002 - there is one
        """
        Returns:
            The usage.
        """
        return native.freeze(self._usage)[0]


class _Handler:
    """LiteLLM's handler, as far as a selection uses it, with a cache of its own."""

    def __init__(self, usage: Any) -> None:
        self.router_cache = _Cache(usage)


native.share_instances([_Handler])


class CostCandidate(Selection):
    """
    Selects as the reference does, and writes into LiteLLM's cache what the reference does; or declines.

    Args:
        reference: The loaded module `litellm.router_strategy.lowest_cost`.
        semantics: Names the rules that hold; there is one set.
    """

    def __init__(self, reference: Any, semantics: str) -> None:  # noqa: ARG002 - as every candidate's
        super().__init__(reference, SOURCES, _ENTRY)
        self._litellm: Any = importlib.import_module("litellm")
        self._service_target = importlib.import_module("litellm._internal_context").service_target
        self._caching: Any = importlib.import_module("litellm.caching.caching")
        self._handler = reference.LowestCostLoggingHandler
        lists: Any = importlib.import_module("litellm.litellm_core_utils.get_model_cost_map")
        self._named: type = getattr(lists, "AliasedCostEntry", dict)
        """From 1.109 on, the class of dicts that a model of several names has in the price list."""

    def prepare(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> str:
        """
        Check that the call is one that is reproduced.

        Returns:
            The minute.

        Raises:
            Declined: It is not.
        """
        self._untouched.check()
        if self._reference.verbose_router_logger.isEnabledFor(logging.DEBUG):
            raise Declined("verbose")
        call = bound(_Call, args, kwargs)
        if type(call.handler) is not self._handler:
            raise Declined("handler_type")
        deployments.check(call.healthy_deployments, self._litellm.model_cost)
        return deployments.minute(self._reference)

    def twin(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Tuple[Tuple[Any, ...], Dict[str, Any]]:
        """
        Returns:
            The call of a handler whose cache is a copy; reading it here drops what has expired, as the control is about
            to do.

        Raises:
            Unsnapshotable: The cache is shared with other processes, and reading it is no matter of this moment.
        """
        call = bound(_Call, args, kwargs)
        cache = call.handler.router_cache
        memory: Any = getattr(cache, "in_memory_cache", None)
        kinds = self._caching.DualCache, self._caching.InMemoryCache
        if (type(cache), type(memory)) != kinds or cache.redis_cache is not None:
            raise Unsnapshotable("shared_cache")
        handler = _Handler(native.freeze(memory.get_cache(key=call.key))[0])
        healthy = Deployments(call.healthy_deployments)
        return call._replace(handler=handler, healthy_deployments=healthy, request_kwargs=None)[:], {}

    async def run(self, plan: str, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
        """
        Returns:
            The first deployment with the lowest cost; None when none has room for the request.

        Raises:
            Declined: Something is not reproduced; nothing has been changed then.
        """
        call = bound(_Call, args, kwargs)
        with self._service_target("router_usage"):
            kept = await call.handler.router_cache.async_get_cache(key=call.key)
            usage = kept or {}
            deployments.check(call.healthy_deployments, usage)
            if deployments.minute(self._reference) != plan:
                raise Declined("minute_ends")
            prices = self._litellm.model_cost
            standings = native.cost_standings(call.healthy_deployments, usage, plan, prices, self._named)
            tokens = standings.are_limited and deployments.tokens(self._reference, call.messages, call.input)
        for missing in standings.missing if kept else ():  # what is kept nowhere nobody sees
            usage[missing] = {plan: {"tpm": 0, "rpm": 0}}
        found = standings.lowest(tokens)
        return call.healthy_deployments[found[0]] if found else None
