"""
The table of seams: every named place in LiteLLM, and in the SDK it calls, where a candidate may answer instead of the
control.

A feature may have several: a function and its coroutine twin have one flag, one account and one body of evidence.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any, Callable, Mapping, Optional, Tuple

from fast_litellm.accel.candidates import made_up_routing, made_up_windows
from fast_litellm.accel.candidates.batch_counting import SOURCES as BATCH_COUNTING_SOURCES
from fast_litellm.accel.candidates.batch_counting import BatchCountingCandidate, batch_of_texts
from fast_litellm.accel.candidates.busy_routing import KEYS_SOURCES as BUSY_KEYS_SOURCES
from fast_litellm.accel.candidates.busy_routing import SOURCES as BUSY_SOURCES
from fast_litellm.accel.candidates.busy_routing import BusyCandidate, BusyKeysCandidate
from fast_litellm.accel.candidates.connection_pooling import (
    HTTPX_SOURCES,
    LITELLM_SOURCES,
    AsyncHttpxPoolingCandidate,
    HttpxPoolingCandidate,
    LiteLLMPoolingCandidate,
)
from fast_litellm.accel.candidates.cost_routing import SOURCES as COST_SOURCES
from fast_litellm.accel.candidates.cost_routing import CostCandidate
from fast_litellm.accel.candidates.deployments import NATIVE_ROUTER
from fast_litellm.accel.candidates.latency_routing import SOURCES as LATENCY_SOURCES
from fast_litellm.accel.candidates.latency_routing import LatencyCandidate
from fast_litellm.accel.candidates.litellm_rust import (
    LITELLM_RUST,
    LiteLLMRedactionCandidate,
    LiteLLMTokenCountingCandidate,
)
from fast_litellm.accel.candidates.rate_limiting import LIMITER as RATE_LIMITER
from fast_litellm.accel.candidates.rate_limiting import NAME as RATE_LIMITING
from fast_litellm.accel.candidates.rate_limiting import SOURCES as RATE_LIMITING_SOURCES
from fast_litellm.accel.candidates.rate_limiting import RateLimitingCandidate
from fast_litellm.accel.candidates.request_transform import SOURCES as REQUEST_TRANSFORM_SOURCES
from fast_litellm.accel.candidates.request_transform import (
    AsyncRequestTransformCandidate,
    RequestTransformCandidate,
    chat_request,
)
from fast_litellm.accel.candidates.secret_redaction import SOURCES as SECRET_REDACTION_SOURCES
from fast_litellm.accel.candidates.secret_redaction import SecretRedactionCandidate
from fast_litellm.accel.candidates.shuffle_routing import SOURCES as SHUFFLE_SOURCES
from fast_litellm.accel.candidates.shuffle_routing import ShuffleCandidate
from fast_litellm.accel.candidates.stream_deltas import NAME as STREAM_DELTAS
from fast_litellm.accel.candidates.stream_deltas import SOURCES as STREAM_DELTAS_SOURCES
from fast_litellm.accel.candidates.stream_deltas import StreamDeltasCandidate
from fast_litellm.accel.candidates.stream_iteration import SOURCES as STREAM_ITERATION_SOURCES
from fast_litellm.accel.candidates.stream_iteration import StreamIterationCandidate
from fast_litellm.accel.candidates.stream_parsing import SOURCES as STREAM_PARSING_SOURCES
from fast_litellm.accel.candidates.stream_parsing import StreamParsingCandidate, chunk_of_texts
from fast_litellm.accel.candidates.stream_usage import NAME as STREAM_USAGE
from fast_litellm.accel.candidates.stream_usage import SOURCES as STREAM_USAGE_SOURCES
from fast_litellm.accel.candidates.stream_usage import StreamUsageCandidate
from fast_litellm.accel.candidates.stream_wrapping import SOURCES as STREAM_WRAPPING_SOURCES
from fast_litellm.accel.candidates.stream_wrapping import StreamWrappingCandidate
from fast_litellm.accel.candidates.token_counting import SOURCES as TOKEN_COUNTING_SOURCES
from fast_litellm.accel.candidates.token_counting import TokenCountingCandidate
from fast_litellm.accel.candidates.usage_routing import SOURCES as USAGE_SOURCES
from fast_litellm.accel.candidates.usage_routing import UsageCandidate
from fast_litellm.shadow import comparators

if TYPE_CHECKING:
    from types import ModuleType

    from fast_litellm.accel.fingerprint import Source
    from fast_litellm.shadow.candidate import Call


@dataclass(frozen=True)
class Seam:
    """
    One place where control or candidate may run.

    Args:
        feature: The flag's name.
        module: The module that holds the control.
        name: The control's name in that module; `Class.method` for one that a class holds.
        effect_free: Running it twice changes nothing but the clock; only such seams are shadowed by running both sides.
            Others are shadowed only where their candidate has `twins` of the state that it shares with the control.
        sources: The parts of the reference that its fingerprint covers.
        candidate: Makes the candidate from the loaded module and the semantics name of its fingerprint.
        comparator: Says whether control and candidate agree.
        profile: By which table of dimensions the shapes of its calls are told: "chat" | "plain".
        request: The parameter whose dict holds the parameters of a chat request, if there is one.
        dress: Makes a call of the control of one that is made up from a shape, where that is another.
        further: Other candidates by the names under which rules know them, made as the first one is.
        defined_in: The module that defines the control, where `module` is one that calls it; then it is replaced there
            alone, because what the control itself asks for under its name is to stay the control.
        noise: What is done when the control does not always give the same answer; see `shadow.noise`.
        superseded_by: A module of LiteLLM's own native code: a release that has it does not call the control any more.
        has_twins: Its candidate has `twins`.
        since: The line of LiteLLM's releases that has the control first, where not all that are known have it.
    """

    feature: str
    module: str
    name: str
    effect_free: bool
    sources: Tuple[Source, ...]
    candidate: Callable[[ModuleType, str], Any]
    comparator: Any
    profile: str = "chat"
    request: Optional[str] = None
    dress: Optional[Callable[[Call], Call]] = None
    further: Mapping[str, Callable[[ModuleType, str], Any]] = field(default_factory=dict)
    defined_in: Optional[str] = None
    noise: str = "none"
    superseded_by: Optional[str] = None
    has_twins: bool = False
    since: Optional[Tuple[int, int]] = None

    @property
    def is_comparable(self) -> bool:
        """Whether its calls are compared at stage shadow."""
        return self.effect_free or self.has_twins

    @property
    def place(self) -> str:
        """The control's dotted name."""
        return f"{self.module}.{self.name}"

    @property
    def package(self) -> str:
        """The package that the reference belongs to: the seam waits for its import, and its releases are known."""
        return self.sources[0].module.partition(".")[0]

    @property
    def is_superseded(self) -> bool:
        """Whether the installed release answers natively itself."""
        return self.superseded_by is not None and exists(self.superseded_by)


def exists(module: str) -> bool:
    """Returns whether the installed release has a module, imported or not."""
    path, name = None, ""
    for part in module.split("."):
        name = f"{name}.{part}" if name else part
        spec = PathFinder.find_spec(name, path)  # `util.find_spec` would import the packages around it
        if spec is None:
            return False
        path = spec.submodule_search_locations
    return True


def _pooling(module: str, name: str, sources: Tuple[Source, ...], candidate: Callable[[ModuleType, str], Any]) -> Seam:
    return Seam(
        feature="connection_pooling",
        module=module,
        name=name,
        effect_free=False,  # a request to a provider is made once
        sources=sources,
        candidate=candidate,
        comparator=comparators.exact,
        profile="plain",
    )


def _wrapping(
    name: str,
    sources: Tuple[Source, ...],
    candidate: Callable[[ModuleType, str], Any],
    since: Optional[Tuple[int, int]] = None,
) -> Seam:
    return Seam(
        feature="stream_wrapping",
        module=sources[0].module,
        name=name,
        effect_free=False,  # they change the wrapper or take from the stream; of LiteLLM's chunks no copies are made
        sources=sources,
        candidate=candidate,
        comparator=comparators.models,
        profile="plain",
        since=since,
    )


def _selection(
    name: str,
    sources: Tuple[Source, ...],
    candidate: Callable[[ModuleType, str], Any],
    dress: Callable[[Call], Call],
    *,
    feature: str = "routing",
    noise: str = "none",
) -> Seam:
    return Seam(
        feature=feature,
        module=sources[0].module,
        name=name,
        effect_free=True,  # that of lowest cost on the candidate's twin of the call
        sources=sources,
        candidate=candidate,
        comparator=comparators.exact,
        profile="plain",
        dress=dress,
        noise=noise,
        superseded_by=NATIVE_ROUTER,
    )


SEAMS: Tuple[Seam, ...] = (
    Seam(
        feature="token_counting",
        module="litellm.litellm_core_utils.token_counter",
        name="token_counter",
        effect_free=True,
        sources=TOKEN_COUNTING_SOURCES,
        candidate=TokenCountingCandidate,
        comparator=comparators.Exact(safe_types=(bool, int, type(None))),  # a number of tokens is no content
        further={LITELLM_RUST: LiteLLMTokenCountingCandidate},
    ),
    Seam(
        feature="batch_token_counting",
        module="fast_litellm.accel.counting",
        name="count_part",
        effect_free=True,
        sources=BATCH_COUNTING_SOURCES,
        candidate=BatchCountingCandidate,
        comparator=comparators.Exact(safe_types=(bool, int, type(None))),
        profile="plain",
        dress=batch_of_texts,
    ),
    Seam(
        feature="request_transform",
        module="openai._utils._transform",
        name="maybe_transform",
        effect_free=True,
        sources=REQUEST_TRANSFORM_SOURCES,
        candidate=RequestTransformCandidate,
        comparator=comparators.ordered,  # the order of keys is that of the bytes that are sent
        request="data",
        dress=chat_request,
    ),
    Seam(
        feature="request_transform",
        module="openai._utils._transform",
        name="async_maybe_transform",
        effect_free=True,
        sources=REQUEST_TRANSFORM_SOURCES,
        candidate=AsyncRequestTransformCandidate,
        comparator=comparators.ordered,
        request="data",
        dress=chat_request,
    ),
    Seam(
        feature="stream_parsing",
        module="openai._base_client",
        name="construct_type",
        effect_free=True,
        sources=STREAM_PARSING_SOURCES,
        candidate=StreamParsingCandidate,
        comparator=comparators.models,
        profile="plain",
        defined_in="openai._models",  # it calls itself for every part of a response
        dress=chunk_of_texts,
    ),
    _wrapping("CustomStreamWrapper.chunk_creator", STREAM_WRAPPING_SOURCES, StreamWrappingCandidate),
    _wrapping("AsyncStream.__aiter__", STREAM_ITERATION_SOURCES, StreamIterationCandidate),
    _wrapping(STREAM_DELTAS, STREAM_DELTAS_SOURCES, StreamDeltasCandidate, since=(1, 109)),
    _wrapping(STREAM_USAGE, STREAM_USAGE_SOURCES, StreamUsageCandidate),
    Seam(
        feature="secret_redaction",
        module="litellm.litellm_core_utils.secret_redaction",
        name="python_redact_string",
        effect_free=True,
        sources=SECRET_REDACTION_SOURCES,
        candidate=SecretRedactionCandidate,
        comparator=comparators.exact,
        profile="plain",
        further={LITELLM_RUST: LiteLLMRedactionCandidate},
    ),
    Seam(
        feature="rate_limiting",
        module=RATE_LIMITER,
        name=RATE_LIMITING,
        effect_free=False,
        has_twins=True,
        sources=RATE_LIMITING_SOURCES,
        candidate=RateLimitingCandidate,
        comparator=comparators.Exact(safe_types=(bool, int, type(None))),  # a second or a count, no content
        profile="plain",
        dress=made_up_windows.counted,
    ),
    _pooling("httpx._transports.default", "HTTPTransport.handle_request", HTTPX_SOURCES, HttpxPoolingCandidate),
    _pooling(
        "httpx._transports.default",
        "AsyncHTTPTransport.handle_async_request",
        HTTPX_SOURCES,
        AsyncHttpxPoolingCandidate,
    ),
    _pooling(
        "litellm.llms.custom_httpx.aiohttp_transport",
        "LiteLLMAiohttpTransport.handle_async_request",
        LITELLM_SOURCES,
        LiteLLMPoolingCandidate,
    ),
    _selection("simple_shuffle", SHUFFLE_SOURCES, ShuffleCandidate, made_up_routing.shuffled, noise="tape"),
    _selection("_request_count_keys", BUSY_KEYS_SOURCES, BusyKeysCandidate, made_up_routing.keys),
    _selection("_least_busy", BUSY_SOURCES, BusyCandidate, made_up_routing.least_busy),
    _selection(
        "LowestLatencyLoggingHandler._get_available_deployments",
        LATENCY_SOURCES,
        LatencyCandidate,
        made_up_routing.lowest_latency,
        noise="tape",
    ),
    _selection(
        "LowestTPMLoggingHandler_v2._common_checks_available_deployment",
        USAGE_SOURCES,
        UsageCandidate,
        made_up_routing.lowest_usage,
        noise="tape",
    ),
    _selection(
        "LowestCostLoggingHandler.async_get_available_deployments",
        COST_SOURCES,
        CostCandidate,
        made_up_routing.lowest_cost,
        feature="async_routing",
    ),
)
