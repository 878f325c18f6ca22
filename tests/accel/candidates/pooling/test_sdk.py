"""The OpenAI SDK and LiteLLM over the pool: what their callers get."""

from __future__ import annotations

import asyncio
import importlib.util
import json
from pathlib import Path

import httpx
import pytest

spec = importlib.util.spec_from_file_location("pool_callers", Path(__file__).with_name("callers.py"))
callers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(callers)
written, status, http_handler = callers.written, callers.status, callers.http_handler
openai = pytest.importorskip("openai")

CHAT = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}


def chat_by_sdk(url) -> str:
    with openai.OpenAI(base_url=url, api_key="k", max_retries=0) as client:
        return ask(client)


def ask(client) -> str:
    messages = [{"role": "user", "content": "hi"}]
    return client.chat.completions.create(model="gpt-4o", messages=messages).choices[0].message.content


def chat_by_async_sdk(url) -> str:
    async def chat() -> str:
        async with openai.AsyncOpenAI(base_url=url, api_key="k", max_retries=0) as client:
            messages = [{"role": "user", "content": "hi"}]
            answer = await client.chat.completions.create(model="gpt-4o", messages=messages)
            return answer.choices[0].message.content

    return asyncio.run(chat())


def chat_by_litellm(url) -> str:
    async def chat() -> str:
        handler = http_handler.AsyncHTTPHandler(timeout=5)
        try:
            return (await handler.post(url + "/chat/completions", json={"a": 1})).json()["choices"][0]["message"][
                "content"
            ]
        finally:
            await handler.close()

    return asyncio.run(chat())


def chat_by_sync_litellm(url) -> str:
    handler = http_handler.HTTPHandler(timeout=5)
    try:
        return handler.post(url + "/chat/completions", json={"a": 1}).json()["choices"][0]["message"]["content"]
    finally:
        handler.close()


@pytest.mark.parametrize("call", [chat_by_sdk, chat_by_async_sdk, chat_by_litellm, chat_by_sync_litellm])
def test_the_sdk_and_litellm_get_the_same_answer(call, rust, server):
    """With the candidate off and on; the bytes that the server gets are the same."""
    body = json.dumps(CHAT).encode()
    server.answers["/chat/completions"] = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    )
    before = call(server.url)
    sent, server.received = server.received, []
    rust()

    assert ("hello", "hello") == (before, call(server.url))
    assert (written(sent), 1) == (written(server.received), status()["served"]["rust"])


@pytest.mark.parametrize("call", [chat_by_sdk, chat_by_async_sdk])
def test_the_sdks_own_clients_are_served_over_tls(call, rust, authority, tls_server):
    """Their contexts are httpx's, which hold no client's certificate."""
    server = tls_server(callers.serving(authority.issue_cert("127.0.0.1")))
    body = json.dumps(CHAT).encode()
    server.answers["/chat/completions"] = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    rust()

    assert ("hello", 1) == (call(server.url), status()["served"]["rust"])


@pytest.mark.parametrize("call", [chat_by_sdk, chat_by_async_sdk])
@pytest.mark.parametrize("path", ["/close", "/reset", "/cut", "/failed"])
def test_the_sdk_raises_the_same(call, path, rust, server):
    """Connections that end and errors that the server tells of, with what the SDK names as the cause."""
    raised = []
    for install in (lambda: None, rust):
        install()
        with pytest.raises((openai.APIError, httpx.HTTPError)) as found:
            call(server.url + path + "?")
        raised.append((found.type, str(found.value), str(found.value.__cause__)))

    assert raised[0] == raised[1]
