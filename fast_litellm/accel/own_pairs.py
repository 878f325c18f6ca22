"""
Any two implementations of one function: the decorator for a program's own pair, LiteLLM or not.
"""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any, Callable, Dict, List, Mapping, Optional

from fast_litellm.accel import fingerprint
from fast_litellm.accel.feature import Feature, Pair
from fast_litellm.errors import SeamError
from fast_litellm.shadow import FunctionCandidate, comparators
from fast_litellm.shadow.noise import KINDS as NOISE

_declared: Dict[str, Feature] = {}
_observers: List[Callable[[Feature], None]] = []


def seam(
    name: str,
    *,
    candidate: Any,
    comparator: Any = comparators.exact,
    effect_free: bool = True,
    noise: str = "none",
    further: Optional[Mapping[str, Any]] = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """
    Decorate a function as the control of a seam.

    Args:
        name: The flag's name. Until `install()`, and while no rule says otherwise, the control answers.
        candidate: A function with the same parameters, a coroutine function if the control is one; or an object as
            described in `shadow.candidate`.
        comparator: Says whether two outcomes are equal.
        effect_free: Running either side changes nothing. Only then are calls shadowed, and only then does the control
            answer when a serving candidate raises.
        noise: What is done when the control does not always give the same answer: "none" | "tape" | "paired"; see
            `shadow.noise`.
        further: Other candidates, by the names under which rules can give them calls or have them compared; the first
            one's is `rust`.

    Returns:
        A decorator; the decorated function keeps its name, signature and documentation.

    Raises:
        SeamError: The name is taken, only one of the functions is a coroutine function, one is an asynchronous
            generator, or the noise is none that can be dealt with.
    """

    def decorate(control: Callable[..., Any]) -> Callable[..., Any]:
        if name in _declared:
            raise SeamError(f"the seam {name!r} is declared twice; each flag has one control")
        for each in (candidate, *(further or {}).values()):
            _check_kinds(control, each)
        _check_noise(control, noise)
        feature = _feature(name, control, candidate, comparator, effect_free=effect_free, noise=noise)
        return _declare(feature, further or {})

    return decorate


def _declare(feature: Feature, further: Mapping[str, Any]) -> Callable[..., Any]:
    feature.pair = replace(feature.pair, further={name: _object(each) for name, each in further.items()})
    _declared[feature.name] = feature
    for observer in _observers:
        observer(feature)
    decorated: Callable[..., Any] = feature.dispatcher
    return decorated


def declared() -> Dict[str, Feature]:
    """Returns every declared pair by flag name."""
    return dict(_declared)


def when_declared(callback: Callable[[Feature], None]) -> None:
    """Calls back with each pair that is declared from here on."""
    _observers.append(callback)


def _check_kinds(control: Callable[..., Any], candidate: Any) -> None:
    candidate = candidate.run if _is_object(candidate) else candidate
    for function in (control, candidate):
        if inspect.isasyncgenfunction(function):
            raise SeamError(
                f"{function.__qualname__} is an asynchronous generator, whose values come one at a time; a seam takes"
                " functions and coroutine functions\n    hint: put the seam around what makes one value"
            )
    if inspect.iscoroutinefunction(control) != inspect.iscoroutinefunction(candidate):
        raise SeamError(
            f"of {control.__qualname__} and {candidate.__qualname__} one is a coroutine function; a seam takes two of a"
            " kind\n    hint: an `async def` around the plain one makes it a coroutine function"
        )


def _check_noise(control: Callable[..., Any], kind: str) -> None:
    if kind not in NOISE:
        raise SeamError(f"noise must be one of {', '.join(NOISE)}, not {kind!r}")
    if kind == "tape" and inspect.iscoroutinefunction(control):
        raise SeamError(
            f"{control.__qualname__} is a coroutine function, whose event loop would read the tape's clocks\n"
            "    hint: noise='paired', or a comparator that leaves out what varies"
        )


def _feature(
    name: str, control: Callable[..., Any], candidate: Any, comparator: Any, *, effect_free: bool, noise: str = "none"
) -> Feature:
    return Feature(
        name,
        Pair(
            control=control,
            candidate=_object(candidate),
            comparator=comparator,
            reference=fingerprint.of_code(control) or "no code",
            effect_free=effect_free,
            noise=noise,
        ),
    )


def _object(candidate: Any) -> Any:
    return candidate if _is_object(candidate) else FunctionCandidate(candidate, build=_build(candidate))


def _is_object(candidate: Any) -> bool:
    return hasattr(candidate, "prepare") and hasattr(candidate, "run")


def _build(candidate: Callable[..., Any]) -> str:
    """Evidence belongs to a build: a changed candidate must be a new one."""
    name = getattr(candidate, "__qualname__", type(candidate).__qualname__)
    return f"{name}@{fingerprint.of_code(candidate) or 'no code'}"
