"""
A candidate of `routing`: the selection by lowest usage of usage-based-routing-v2, once its counts have been read.
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
from fast_litellm.errors import Declined

_HANDLER = "LowestTPMLoggingHandler_v2"
_ENTRY, _HELPER = "_common_checks_available_deployment", "_return_potential_deployments"
SOURCES: Tuple[Source, ...] = (
    Source("litellm.router_strategy.lowest_tpm_rpm_v2", (f"{_HANDLER}.{_ENTRY}", f"{_HANDLER}.{_HELPER}")),
    Source("litellm.utils", ("print_verbose",)),
)
"""The parts of LiteLLM that this candidate reproduces."""


class _Call(NamedTuple):
    """The control's parameters, bound."""

    handler: Any
    model_group: Any
    healthy_deployments: Any
    tpm_keys: Any
    tpm_values: Any
    rpm_keys: Any
    rpm_values: Any
    messages: Any = None
    input: Any = None

    @property
    def counts(self) -> Tuple[Any, Any, Any, Any]:
        """The keys and the values found under them."""
        return self.tpm_keys, self.tpm_values, self.rpm_keys, self.rpm_values


class UsageCandidate(Selection):
    """
    Selects as the reference does, or declines.

    Args:
        reference: The loaded module `litellm.router_strategy.lowest_tpm_rpm_v2`.
        semantics: Names the rules that hold; there is one set.
    """

    def __init__(self, reference: Any, semantics: str) -> None:  # noqa: ARG002 - as every candidate's
        self._litellm: Any = importlib.import_module("litellm")
        self._handler = getattr(reference, _HANDLER)
        native.share_instances([self._handler])
        super().__init__(reference, SOURCES, f"{_HANDLER}.{_ENTRY}", (self._handler, _HELPER))

    def prepare(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> None:
        """
        Check that the call is one that is reproduced.

        Raises:
            Declined: It is not.
        """
        self._untouched.check()
        if self._is_verbose():
            raise Declined("verbose")
        call = bound(_Call, args, kwargs)
        if type(call.handler) is not self._handler:
            raise Declined("handler_type")
        deployments.check(call.healthy_deployments)
        if any(type(it) is not list for it in call.counts):
            raise Declined("opaque_value")

    def twin(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Tuple[Tuple[Any, ...], Dict[str, Any]]:
        """
        Returns:
            The call with deployments that are not copied.
        """
        call = bound(_Call, args, kwargs)
        return call._replace(healthy_deployments=Deployments(call.healthy_deployments))[:], {}

    def run(self, plan: None, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:  # noqa: ARG002 - there is no plan
        """
        Returns:
            One of the deployments with the lowest usage; None when none has room for the request.

        Raises:
            Declined: Something is not reproduced.
        """
        call = bound(_Call, args, kwargs)
        standings = native.usage_standings(
            call.healthy_deployments, (call.tpm_keys, call.tpm_values), (call.rpm_keys, call.rpm_values)
        )
        tokens = standings.are_limited and deployments.tokens(self._reference, call.messages, call.input)
        found = standings.lowest(tokens)
        return call.healthy_deployments[self._reference.random.choice(found)] if found else None

    def _is_verbose(self) -> bool:
        """Whether the reference's remarks are written anywhere."""
        loggers = self._reference.verbose_router_logger, self._litellm.verbose_logger
        return self._litellm.set_verbose is True or any(it.isEnabledFor(logging.DEBUG) for it in loggers)
