"""
A candidate of `routing`: the selection by lowest latency, with one table of ids instead of a search for each.
"""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional, Tuple

from fast_litellm.accel import native
from fast_litellm.accel.candidates import deployments
from fast_litellm.accel.candidates.calls import bound
from fast_litellm.accel.candidates.deployments import Deployments, Selection
from fast_litellm.accel.fingerprint import Source
from fast_litellm.errors import Declined

_ENTRY = "LowestLatencyLoggingHandler._get_available_deployments"
SOURCES: Tuple[Source, ...] = (
    Source(
        "litellm.router_strategy.lowest_latency",
        (_ENTRY, "_average_latency", "_percentile_latency", "_usable_latency_samples"),
    ),
    Source("litellm.integrations.custom_logger", ("CustomLogger._select_metadata_field",)),
)
"""The parts of LiteLLM that this candidate reproduces."""

_KEPT = {"1.106": "latency", "1.109": "latency_normalized"}
"""Under which name a deployment's latencies are kept."""


class _Call(NamedTuple):
    """The control's parameters, bound."""

    handler: Any
    model_group: Any
    healthy_deployments: Any
    messages: Any = None
    input: Any = None
    request_kwargs: Any = None
    request_count_dict: Any = None


class LatencyCandidate(Selection):
    """
    Selects as the reference does, and leaves its arguments as the reference does; or declines.

    Args:
        reference: The loaded module `litellm.router_strategy.lowest_latency`.
        semantics: The release line whose rules hold.
    """

    def __init__(self, reference: Any, semantics: str) -> None:
        super().__init__(reference, SOURCES, _ENTRY, *deployments.DRAWN_BY)
        self._semantics = semantics
        self._kept = _KEPT[semantics]
        self._handler = reference.LowestLatencyLoggingHandler
        native.share_instances([self._handler])

    def prepare(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> None:
        """
        Check that the call is one that is reproduced.

        Raises:
            Declined: It is not.
        """
        self._untouched.check()
        deployments.check_draws(self._reference)
        call = bound(_Call, args, kwargs)
        if type(call.handler) is not self._handler:
            raise Declined("handler_type")
        deployments.check(call.healthy_deployments, call.request_count_dict)
        if call.request_kwargs is not None:
            deployments.check([], call.request_kwargs)

    def twin(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Tuple[Tuple[Any, ...], Dict[str, Any]]:
        """
        Returns:
            The call with those parts of the request that are looked at or written to.
        """
        call = bound(_Call, args, kwargs)
        request = call.request_kwargs
        if request is not None:
            fields: Dict[str, Any] = {
                name: {} for name in ("metadata", "litellm_metadata") if type(request.get(name)) is dict
            }
            request = {**fields, "stream": request.get("stream")}
        return call._replace(healthy_deployments=Deployments(call.healthy_deployments), request_kwargs=request)[:], {}

    def run(self, plan: None, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:  # noqa: ARG002 - there is no plan
        """
        Returns:
            One of the deployments with the lowest latency; None when none has room for the request.

        Raises:
            Declined: Something is not reproduced; nothing has been changed then.
        """
        call = bound(_Call, args, kwargs)
        minute = deployments.minute(self._reference)
        share = call.handler.routing_args.lowest_latency_buffer
        if share < 0:
            raise Declined("negative_buffer")
        standings = self._standings(call, minute)
        tokens = standings.are_limited and deployments.tokens(self._reference, call.messages, call.input)
        metadata = _metadata(call)
        for missing in standings.missing:
            call.request_count_dict[missing] = {self._kept: [0], minute: {"tpm": 0, "rpm": 0}}
        order = deployments.permutation(self._reference, len(standings))
        found = standings.within(order, tokens, share)
        if not found:
            return None
        chosen = self._reference.random.choice(found)
        if metadata is not None:
            metadata["_latency_per_deployment"] = standings.by_address(order)
        return call.healthy_deployments[chosen]

    def _standings(self, call: _Call, minute: str) -> native.Standings:
        return native.latency_standings(
            call.healthy_deployments,
            call.request_count_dict,
            minute,
            self._semantics,
            call.request_kwargs is not None and call.request_kwargs.get("stream") is True,
            call.handler.routing_args.ttft_percentile,
        )


def _metadata(call: _Call) -> Optional[Dict[str, Any]]:
    """Where the reference says why it selected what it selected, for the request's log."""
    request = call.request_kwargs
    field = call.handler._select_metadata_field(request)
    if request is None or field not in request:
        return None
    metadata: Dict[str, Any] = request[field]
    deployments.check([], metadata)
    return metadata
