"""
Two candidates of `routing`: under which keys least-busy keeps its counts, and which deployment has the smallest.
"""

from __future__ import annotations

from typing import Any, Dict, Tuple

from fast_litellm.accel import native
from fast_litellm.accel.candidates import deployments
from fast_litellm.accel.candidates.calls import bound
from fast_litellm.accel.candidates.deployments import Deployments, Selection
from fast_litellm.accel.fingerprint import Source
from fast_litellm.errors import Declined

_MODULE = "litellm.router_strategy.least_busy"
KEYS_SOURCES: Tuple[Source, ...] = (
    Source(_MODULE, ("_request_count_keys", "_request_count_key", "_Deployment", "_DeploymentModelInfo")),
)
SOURCES: Tuple[Source, ...] = (Source(_MODULE, ("_least_busy",)),)
"""The parts of LiteLLM that these candidates reproduce."""


class BusyKeysCandidate(Selection):
    """
    Names keys as the reference does, or declines.

    Args:
        reference: The loaded module `litellm.router_strategy.least_busy`.
        semantics: Names the rules that hold; there is one set.
    """

    def __init__(self, reference: Any, semantics: str) -> None:  # noqa: ARG002 - as every candidate's
        super().__init__(reference, KEYS_SOURCES, "_request_count_keys")

    def prepare(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> None:
        """
        Check that the call is one that is reproduced.

        Raises:
            Declined: It is not.
        """
        self._untouched.check()
        model_group, healthy_deployments = bound(_keys_bound, args, kwargs)
        deployments.check(healthy_deployments)
        if type(model_group) is not str:
            raise Declined("opaque_value")

    def twin(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Tuple[Tuple[Any, ...], Dict[str, Any]]:
        """
        Returns:
            The call with deployments that are not copied.
        """
        model_group, healthy_deployments = bound(_keys_bound, args, kwargs)
        return (model_group, Deployments(healthy_deployments)), {}

    def run(
        self,
        plan: None,  # noqa: ARG002 - there is no plan
        args: Tuple[Any, ...],
        kwargs: Dict[str, Any],
    ) -> Tuple[str, ...]:
        """
        Returns:
            A key for each deployment.

        Raises:
            Declined: An id is not one that is reproduced.
        """
        model_group, healthy_deployments = bound(_keys_bound, args, kwargs)
        return native.deployment_ids(healthy_deployments, f"{model_group}_request_count:")


class BusyCandidate(Selection):
    """
    Selects as the reference does, or declines.

    Args:
        reference: The loaded module `litellm.router_strategy.least_busy`.
        semantics: Names the rules that hold; there is one set.
    """

    def __init__(self, reference: Any, semantics: str) -> None:  # noqa: ARG002 - as every candidate's
        super().__init__(reference, SOURCES, "_least_busy")

    def prepare(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> None:
        """
        Check that the call is one that is reproduced.

        Raises:
            Declined: It is not.
        """
        self._untouched.check()
        healthy_deployments, counts = bound(_bound, args, kwargs)
        deployments.check(healthy_deployments)
        if type(counts) is not tuple or len(counts) != len(healthy_deployments):
            raise Declined("opaque_value")

    def twin(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Tuple[Tuple[Any, ...], Dict[str, Any]]:
        """
        Returns:
            The call with deployments that are not copied.
        """
        healthy_deployments, counts = bound(_bound, args, kwargs)
        return (Deployments(healthy_deployments), counts), {}

    def run(self, plan: None, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:  # noqa: ARG002 - there is no plan
        """
        Returns:
            The first deployment with the smallest count.

        Raises:
            Declined: A count is not one that is reproduced.
        """
        healthy_deployments, counts = bound(_bound, args, kwargs)
        return healthy_deployments[native.least_busy(counts)]


def _keys_bound(model_group: Any, healthy_deployments: Any) -> Tuple[Any, Any]:
    return model_group, healthy_deployments


def _bound(healthy_deployments: Any, counts: Any) -> Tuple[Any, Any]:
    return healthy_deployments, counts
