"""
Any two implementations of one function: the decorator for a program's own pair, LiteLLM or not.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import replace
from typing import Any, Callable, Dict, List, Mapping, Optional

from fast_litellm.accel import fingerprint
from fast_litellm.accel.feature import Feature, Pair
from fast_litellm.accel.seams import SEAMS
from fast_litellm.errors import SeamError
from fast_litellm.shadow import FunctionCandidate, comparators
from fast_litellm.shadow.noise import KINDS as NOISE

_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
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
        SeamError: The name is taken or none, only one of the functions is a coroutine function, they take other
            arguments, one gives its values one at a time, or the noise is none that can be dealt with.
    """

    def decorate(control: Callable[..., Any]) -> Callable[..., Any]:
        _check_name(name)
        for each in (candidate, *(further or {}).values()):
            _check_kinds(control, each, effect_free=effect_free)
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


def _check_name(name: str) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        wanted = "a name of lower-case letters, digits and _, not beginning with a digit"
        raise SeamError(f"expected {wanted}, got {name!r}")
    if name in _declared:
        raise SeamError(f"the seam {name!r} is declared twice; each flag has one control")
    if any(name == own.feature for own in SEAMS):
        raise SeamError(f"{name!r} is a feature of this package, whose evidence yours would be mixed with")


def _check_kinds(control: Callable[..., Any], candidate: Any, *, effect_free: bool) -> None:
    if not hasattr(control, "__qualname__"):  # such as a partial
        raise _no_function(control)
    is_object = _is_object(candidate)
    candidate = candidate.run if is_object else candidate
    for function in (control, candidate):
        _check_function(function, effect_free=effect_free)
    if not is_object:
        _check_arguments(control, candidate)
    if inspect.iscoroutinefunction(control) != inspect.iscoroutinefunction(candidate):
        raise SeamError(
            f"of {_name(control)} and {_name(candidate)} one is a coroutine function; a seam takes two of a"
            " kind\n    hint: an `async def` around the plain one makes it a coroutine function"
        )


def _check_function(function: Any, *, effect_free: bool) -> None:
    if not callable(function) or isinstance(function, (staticmethod, classmethod)):
        raise _no_function(function)
    is_asynchronous = inspect.isasyncgenfunction(function)
    if is_asynchronous or (effect_free and inspect.isgeneratorfunction(function)):
        kind = "an asynchronous generator" if is_asynchronous else "a generator"
        raise SeamError(
            f"{_name(function)} is {kind}, whose values come one at a time; a seam takes functions and coroutine"
            " functions\n    hint: put the seam around what makes one value"
        )


def _no_function(thing: Any) -> SeamError:
    return SeamError(
        f"expected a function, got {thing!r}\n    hint: a seam stands around a function itself, beneath `@staticmethod`"
        " and its like"
    )


def _check_arguments(control: Callable[..., Any], candidate: Callable[..., Any]) -> None:
    """A candidate that cannot take what the control needs would fail, and be blocked, with its first call."""
    try:
        wanted, taken = inspect.signature(control), inspect.signature(candidate)
    except (TypeError, ValueError):  # what is written in C need not say
        return
    needed = [it for it in wanted.parameters.values() if it.kind not in _VARIABLE and it.default is it.empty]
    named = {parameter.name: None for parameter in needed if parameter.kind is inspect.Parameter.KEYWORD_ONLY}
    try:
        taken.bind(*[None] * (len(needed) - len(named)), **named)
    except TypeError as error:
        raise SeamError(f"{_name(candidate)}{taken} cannot be called as {_name(control)}{wanted} is: {error}") from None


def _name(function: Any) -> str:
    name: str = getattr(function, "__qualname__", type(function).__qualname__)
    return name


def _check_noise(control: Callable[..., Any], kind: str) -> None:
    if kind not in NOISE:
        raise SeamError(f"noise must be one of {', '.join(NOISE)}, not {kind!r}")
    if kind == "tape" and inspect.iscoroutinefunction(control):
        raise SeamError(
            f"{_name(control)} is a coroutine function, whose event loop would read the tape's clocks\n"
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
    return f"{_name(candidate)}@{fingerprint.of_code(candidate) or 'no code'}"
