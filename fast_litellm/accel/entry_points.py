"""
LiteLLM's own entry points, wrapped so that every call carries its context.

Each public entry point opens a scope: the call id (or a fresh one) is the unit, and user, team and model are
attributes. A scope inside another keeps the outer unit, so a Router call and the SDK call it makes are one unit. A
stream is read after its entry point has returned; the context it began with is kept beside LiteLLM's logging object
and entered again when the stream ends.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
import weakref
from contextlib import suppress
from types import FunctionType, MappingProxyType
from typing import TYPE_CHECKING, Any, Callable, cast

from fast_litellm.accel.context import CallContext, current
from fast_litellm.accel.patching import Patch, original, owner_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FUNCTIONS = {
    "litellm.main": ("completion", "acompletion", "text_completion", "atext_completion", "embedding", "aembedding"),
    "litellm.responses.main": ("responses", "aresponses"),
}
ROUTERS = {
    "litellm.router": "Router",
    "litellm.router_python_core": "PythonCore",
    "litellm.router_rust.core": "RustCore",
}
"""Where the Router's methods are defined: in the class itself, or in the core of 1.109 or of 1.110 it delegates to."""
ROUTER_METHODS = ("completion", "acompletion", "text_completion", "atext_completion", "embedding", "aembedding")

MODULES = (*FUNCTIONS, *ROUTERS, "litellm.utils")
"""The modules whose import may bring an entry point."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})

_stream_contexts: weakref.WeakKeyDictionary[Any, CallContext] = weakref.WeakKeyDictionary()


def patches() -> list[Patch]:
    """Returns a patch for every entry point that is loaded and not wrapped yet."""
    return [*_function_patches(), *_router_patches(), *_stream_patches()]


def _function_patches() -> Iterator[Patch]:
    for module_name, names in FUNCTIONS.items():
        for name in names:
            function = _loaded(module_name, name)
            if function is not None:
                yield Patch(function, _scoped(function, first_argument=0))


def _router_patches() -> Iterator[Patch]:
    for module_name, class_name in ROUTERS.items():
        router = _loaded(module_name, class_name)
        for name in ROUTER_METHODS if isinstance(router, type) else ():
            owner = owner_of(router, name)
            method = None if owner is None else original(vars(owner)[name])
            if inspect.isfunction(method) and not _is_wrapped(method):
                yield Patch(method, _scoped(method, first_argument=1), owner, name)


def _stream_patches() -> Iterator[Patch]:
    setup = _loaded("litellm.utils", "function_setup")
    if setup is not None:
        yield Patch(setup, _remembering(setup))
    builder = _loaded("litellm.main", "stream_chunk_builder")
    if builder is not None:
        yield Patch(builder, _resuming(builder))


def _loaded(module_name: str, name: str) -> Any:
    found = original(getattr(sys.modules.get(module_name), name, None))
    return None if _is_wrapped(found) else found


def _is_wrapped(function: Any) -> bool:
    return getattr(function, "_fast_litellm_scope", False)


def _scoped(function: Callable[..., Any], first_argument: int) -> Callable[..., Any]:
    """Wraps an entry point; `first_argument` is the position of `model`, after `self` for methods."""
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def asynchronous(*args: Any, **kwargs: Any) -> Any:
            token = current.set(_scope(args[first_argument:], kwargs))
            try:
                return await function(*args, **kwargs)
            finally:
                current.reset(token)

        return _marked(asynchronous)

    @functools.wraps(function)
    def synchronous(*args: Any, **kwargs: Any) -> Any:
        token = current.set(_scope(args[first_argument:], kwargs))
        try:
            return function(*args, **kwargs)
        finally:
            current.reset(token)

    return _marked(synchronous)


def _remembering(function_setup: Callable[..., Any]) -> Callable[..., Any]:
    """
    Wraps LiteLLM's `function_setup`, which makes the logging object that a stream keeps until it ends. It looks for
    `stream` among the keywords, too.
    """

    @functools.wraps(function_setup)
    def remembering(*args: Any, **kwargs: Any) -> Any:
        result = function_setup(*args, **kwargs)
        stream = kwargs.get("stream")
        if stream is not None and stream is not False and current.get().unit is not None:
            with suppress(TypeError):  # what cannot be weakly referenced keeps no context; its stream end has no unit
                _stream_contexts[result[0]] = current.get()
        return result

    return _marked(remembering)


def _resuming(stream_chunk_builder: Callable[..., Any]) -> Callable[..., Any]:
    """Wraps LiteLLM's `stream_chunk_builder`, which counts tokens when a stream has ended."""

    @functools.wraps(stream_chunk_builder)
    def resuming(*args: Any, **kwargs: Any) -> Any:
        logging_object = kwargs.get("logging_obj")
        context = None if logging_object is None else _stream_contexts.get(logging_object)
        if context is None:
            return stream_chunk_builder(*args, **kwargs)
        token = current.set(context)
        try:
            return stream_chunk_builder(*args, **kwargs)
        finally:
            current.reset(token)

    return _marked(resuming)


def _marked(wrapper: Any) -> Callable[..., Any]:
    """Gives it also what tools read of a function without unwrapping it; it takes any arguments, so it ignores them."""
    function = wrapper.__wrapped__
    vars(wrapper)["_fast_litellm_scope"] = True
    # A function that is itself a wrapper, of LiteLLM's, tells as little.
    if isinstance(function, FunctionType) and not hasattr(function, "__wrapped__"):
        wrapper.__signature__ = inspect.signature(function)
        wrapper.__defaults__, wrapper.__kwdefaults__ = function.__defaults__, function.__kwdefaults__
    return cast("Callable[..., Any]", wrapper)


def _scope(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> CallContext:
    """Every call pays for it, so nothing is built that is not kept. A call without an id is given a random one."""
    outer = current.get()
    attributes = dict(outer.attributes)
    call_id = _text(kwargs.get("litellm_call_id")) or attributes.get("call_id") or os.urandom(16).hex()
    attributes["call_id"] = call_id
    _add_facts(attributes, args, kwargs)
    return CallContext(outer.unit or call_id, attributes)


def _add_facts(attributes: dict[str, Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """What LiteLLM's arguments say of a call; a fact that is absent stays absent, so `exists` can be asked."""
    metadata = _mapping(kwargs.get("metadata")) or _mapping(kwargs.get("litellm_metadata"))
    model = _text(kwargs["model"] if "model" in kwargs else args[0] if args else None)
    user = _text(kwargs.get("user")) or _text(metadata.get("user_api_key_user_id"))
    team = _text(metadata.get("user_api_key_team_id"))
    if model is not None:
        attributes["model"] = model
    if user is not None:
        attributes["user"] = user
    if team is not None:
        attributes["team"] = team


def _text(value: Any) -> str | None:
    """Only non-empty strings are facts: testing anything else could run the caller's code."""
    return value if isinstance(value, str) and value else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else _NOTHING
