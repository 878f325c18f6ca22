"""
The demo's application: it uses LiteLLM as applications do, and notes every token count it is given.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable

from fast_litellm.cli.demo.traffic import MODELS

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable

    from fast_litellm.cli.demo.traffic import Call

# The server answers at once; a call that takes this long hangs.
_CALL_TIMEOUT_S = 30

_API_KEY = "not-a-key"  # LiteLLM wants one; the server reads none


@dataclass(frozen=True)
class Reply:
    """
    What one call brought back.

    Args:
        counted: What LiteLLM's token counter said of the request.
        content: The answer's text, "" for a tool call.
        prompt_tokens: The answer's usage.
        completion_tokens: The answer's usage.
    """

    counted: int
    content: str
    prompt_tokens: int
    completion_tokens: int


class Client:
    """
    An application that sends calls through LiteLLM's Router and SDK.

    Args:
        litellm: The module.
        base: The server's address.
    """

    def __init__(self, litellm: Any, base: str) -> None:
        self._litellm = litellm
        # LiteLLM never closes its aiohttp sessions, and aiohttp complains of each; plain httpx goes quietly.
        litellm.disable_aiohttp_transport = True
        self._bases = {True: f"{base}/v1", False: f"{base}/bare/v1"}
        # This strategy counts each request's tokens before it picks a deployment; two of each give it a choice.
        self._router = litellm.Router(
            model_list=[self._deployment(model, usage) for model in MODELS for usage in self._bases for _ in range(2)],
            routing_strategy="latency-based-routing",
            num_retries=0,
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="demo-event-loop", daemon=True)
        self._thread.start()

    def _deployment(self, model: str, usage: bool) -> dict[str, Any]:
        target = {"model": f"openai/{model}", "api_base": self._bases[usage], "api_key": _API_KEY}
        return {"model_name": _group(model, usage), "litellm_params": target}

    def send(self, call: Call) -> Reply:
        """
        Count a request's tokens, send it, and read the whole answer.

        Args:
            call: What to send.

        Returns:
            The counts and the answer.
        """
        counted = self._litellm.token_counter(model=call.model, messages=call.messages, tools=call.tools)
        chunks = self._await(self._asynchronously(call)) if call.asynchronous else self._synchronously(call)
        usage = next(chunk.usage for chunk in reversed(chunks) if getattr(chunk, "usage", None))
        return Reply(counted, "".join(map(_content, chunks)), usage.prompt_tokens, usage.completion_tokens)

    def _synchronously(self, call: Call) -> list[Any]:
        entry = self._router.completion if call.router else self._litellm.completion
        answer = entry(**self._arguments(call))
        return list(answer) if call.stream else [answer]

    async def _asynchronously(self, call: Call) -> list[Any]:
        entry = self._router.acompletion if call.router else self._litellm.acompletion
        answer = await entry(**self._arguments(call))
        return [chunk async for chunk in answer] if call.stream else [answer]

    def _arguments(self, call: Call) -> dict[str, Any]:
        arguments: dict[str, Any] = {"messages": call.messages, "user": call.user, "stream": call.stream}
        if call.stream:
            arguments["stream_options"] = {"include_usage": True}
        if call.tools:
            # LiteLLM 1.106 imports the optional package `mcp` for any call with tools, unless told to skip that step.
            arguments.update(tools=call.tools, _skip_mcp_handler=True)
        if call.router:
            return {"model": _group(call.model, call.usage_reported), **arguments}
        server = {"api_base": self._bases[call.usage_reported], "api_key": _API_KEY}
        return {"model": f"openai/{call.model}", **server, **arguments}

    def _await(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_CALL_TIMEOUT_S)

    def close(self) -> None:
        """End the event loop and whatever LiteLLM still has running on it."""
        self._await(_cancel_others())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CALL_TIMEOUT_S)
        self._loop.close()


async def _cancel_others() -> None:
    # A cancelled task may start another one while it cleans up.
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


def _group(model: str, usage: bool) -> str:
    return model if usage else f"{model}-self-hosted"


def _content(chunk: Any) -> str:
    if not chunk.choices:
        return ""
    choice = chunk.choices[0]
    part = getattr(choice, "delta", None) or choice.message
    return part.content or ""


def differences(call: Call, reply: Reply, control: Callable[..., int]) -> Iterable[str]:
    """
    Compare the counts of a reply with those of LiteLLM's own function.

    Args:
        call: What was sent.
        reply: What came back.
        control: The function LiteLLM was installed with.

    Yields:
        One line for each count that is not the control's.
    """
    expected = {"request": (reply.counted, control(model=call.model, messages=call.messages, tools=call.tools))}
    if call.stream and not call.usage_reported:
        expected["prompt"] = (reply.prompt_tokens, control(model=call.model, messages=call.messages))
        if reply.content:
            completion = control(model=call.model, text=reply.content, count_response_tokens=True)
            expected["completion"] = (reply.completion_tokens, completion)
    for name, (given, wanted) in expected.items():
        if given != wanted:
            yield f"{call.kind}, {call.model}: {name} tokens {given}, LiteLLM says {wanted}"
