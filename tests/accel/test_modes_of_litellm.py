"""LiteLLM behaves the same with everything off, in shadow and on: what it returns, raises, calls back and logs."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import importlib
import inspect
import io
import json
import logging
import random
import re
import threading
import warnings

import pytest

import fast_litellm
from fast_litellm.accel import feature, installation
from fast_litellm.accel.seams import SEAMS
from fast_litellm.cli.demo import server

litellm = pytest.importorskip("litellm")
openai = pytest.importorskip("openai")

# LiteLLM leaves sockets, event loops and coroutines behind.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

STAGES = ("off", "shadow", "on")
MUST_RUN = {"token_counting", "request_transform", "secret_redaction"}
DEADLINE_S = 20
LOOPS: list = []
"""The loop of awaited calls. A worker that is given further tests of this file later sets everything up again."""

CALLBACKS = (
    "callbacks",
    "input_callback",
    "success_callback",
    "failure_callback",
    "_async_success_callback",
    "_async_failure_callback",
)
KEY = "sk-abcdefghijklmnopqrstuvwxyz"
HELLO = [{"role": "user", "content": "Hello"}]
CHAT = [
    {"role": "system", "content": "Be brief.", "name": "rules"},
    {
        "role": "user",
        "content": [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": "x"}}],
    },
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}],
    },
    {"role": "tool", "tool_call_id": "1", "content": "42 \U0001f6a2 écluse"},
]
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"a": {}}}}}]
LONG = [{"role": "user", "content": "é \U0001f600 harbour " * 2_000}]

# What is new in every call: ids, addresses in memory, times of day, and how long something took.
PASSING = (
    (re.compile(r"chatcmpl-[\w-]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{32,}\b"), "ID"),
    (re.compile(r"0x[0-9a-f]+"), "ADDRESS"),
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.\d]*|\d\d:\d\d:\d\d"), "TIME"),
    (re.compile(r"127\.0\.0\.1:\d+"), "SERVER"),
    (re.compile(r", line \d+, in \w+\n.*\n"), "FRAME"),  # a traceback names the frames of whoever has answered
)
PASSING_KEYS = re.compile(
    r"(^|_)(id|created|time|startTime|endTime|completionStartTime|ms|duration|trace)($|_)|[a-z]Time$"
)


def plain(value):
    """A value by type and content, without what is new in every call."""
    if hasattr(value, "model_dump"):
        return [type(value).__qualname__, plain(value.model_dump())]
    if isinstance(value, dict):
        return {str(key): plain(it) for key, it in value.items() if not PASSING_KEYS.search(str(key))}
    if isinstance(value, (list, tuple)):
        return [type(value).__qualname__, *map(plain, value)]
    if isinstance(value, (bool, int, float, type(None))):
        return value
    return [type(value).__qualname__, text(value) if isinstance(value, str) else ""]


def text(value) -> str:
    return functools.reduce(lambda found, it: it[0].sub(it[1], found), PASSING, str(value))


class Refusing(server.ChatHandler):
    """The demo's server; under /refusing it repeats the caller's key in an error, under /busy it has no time."""

    def do_POST(self) -> None:  # noqa: N802 - the base class's
        statuses = {"/refusing": 401, "/busy": 429}
        status = next((statuses[start] for start in statuses if self.path.startswith(start)), None)
        if status is None:
            return super().do_POST()
        self.rfile.read(int(self.headers["Content-Length"]))
        return self._send_json(status, {"error": {"message": f"not for Bearer {KEY}", "type": "x", "code": "y"}})


class Told(litellm.integrations.custom_logger.CustomLogger):
    """Keeps what LiteLLM calls back with."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()
        self.events: list = []

    def _keep(self, name, kwargs, response):
        payload = kwargs.get("standard_logging_object") or {}
        error = kwargs.get("exception")
        told = [payload.get(key) for key in ("status", "model", "messages", "response", "total_tokens", "error_str")]
        with self._changed:
            self.events.append([name, plain(told), type(response).__qualname__, type(error).__qualname__, text(error)])
            self._changed.notify_all()

    def log_success_event(self, kwargs, response_obj, start_time, end_time):
        self._keep("success", kwargs, response_obj)

    def log_failure_event(self, kwargs, response_obj, start_time, end_time):
        self._keep("failure", kwargs, response_obj)

    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
        self._keep("async success", kwargs, response_obj)

    async def async_log_failure_event(self, kwargs, response_obj, start_time, end_time):
        self._keep("async failure", kwargs, response_obj)

    def wait(self, *names):
        """LiteLLM calls back from threads of its own."""
        with self._changed:
            assert self._changed.wait_for(lambda: set(names) <= {it[0] for it in self.events}, DEADLINE_S), names


@contextlib.contextmanager
def serving():
    """A server in this process."""
    with server.ChatServer(("127.0.0.1", 0), Refusing) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_address[1]}"
        finally:
            running.shutdown()
            thread.join(DEADLINE_S)


@contextlib.contextmanager
def looping():
    """The loop of awaited calls, in a thread; afterwards nothing runs on it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    LOOPS.append(loop)
    try:
        yield
    finally:
        on_loop(wind_up())
        LOOPS.remove(loop)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(DEADLINE_S)
        loop.close()


async def wind_up():
    """Ends what LiteLLM leaves: its clients, and tasks that may start others while they end."""
    clients = litellm.in_memory_llm_clients_cache.cache_dict
    for client in [it for it in clients.values() if isinstance(it, openai.AsyncOpenAI)]:
        await client.close()
    for client in [it for it in clients.values() if isinstance(it, openai.OpenAI)]:
        client.close()
    clients.clear()
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


@contextlib.contextmanager
def telling():
    """LiteLLM takes one callback of a class and keeps it, so all calls have the same."""
    with pytest.MonkeyPatch.context() as patch:
        for name in CALLBACKS:
            patch.setattr(litellm, name, [])
        patch.setattr(litellm, "callbacks", [Told()])
        patch.setattr(litellm, "disable_aiohttp_transport", True)  # LiteLLM never closes its aiohttp sessions
        yield litellm.callbacks[0]


@pytest.fixture(scope="module")
def behaviour(tmp_path_factory):
    """Everything that is seen of LiteLLM, without an installation and at every stage, and what the candidates did."""
    directory = tmp_path_factory.mktemp("modes")
    with pytest.MonkeyPatch.context() as patch, serving() as address, looping(), telling() as told:
        patch.setenv("FAST_LITELLM_LEDGER", f"sqlite:///{directory / 'ledger.db'}")
        feature._tallies.clear()
        everything(address, told)  # what LiteLLM does only once, such as reading a vocabulary
        found = {"stock": everything(address, told)}
        for stage in STAGES:
            install(directory, stage)
            found[stage] = everything(address, told)
            found[f"counters {stage}"] = counters()
        fast_litellm.uninstall()
        found["uninstalled"] = everything(address, told)
    let_go()
    return found


def let_go():
    """LiteLLM's synchronous streams leave an event loop to the thread that reads them, open."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        asyncio.run(asyncio.sleep(0))
        gc.collect()


@pytest.fixture(autouse=True)
def fresh_counters():
    """The counters here are those of the whole module."""


def install(directory, stage):
    """Puts everything at a stage; in shadow every call is compared."""
    flag = {"stage": stage, **({"shadow": {"percent": 100, "budget": "100%"}} if stage == "shadow" else {})}
    names = {seam.feature for seam in SEAMS if stage != "shadow" or seam.effect_free}
    path = directory / f"{stage}.yaml"
    path.write_text(json.dumps({"version": 1, "flags": dict.fromkeys(names, flag)}), encoding="utf-8")
    fast_litellm.install(path)


def counters() -> dict:
    """What every feature of the table has done, once nothing is in flight; other tests have pairs of their own."""
    for attachment in installation._current.attachments:
        if attachment.feature is not None and attachment.feature.runner is not None:
            assert attachment.feature.runner.drain(DEADLINE_S)
    features = fast_litellm.status()["features"]
    return {seam.feature: features[seam.feature] for seam in SEAMS}


def request_to(address, path="v1", **request):
    target = {"model": "openai/gpt-4o", "api_base": f"{address}/{path}", "api_key": KEY, "num_retries": 0}
    return {**target, "messages": HELLO, **request}


def answered(**request):
    answer = litellm.completion(**request)
    return list(answer) if request.get("stream") else answer


async def awaited(**request):
    answer = await litellm.acompletion(**request)
    return [chunk async for chunk in answer] if request.get("stream") else answer


def on_loop(coroutine):
    """On a loop that goes on, as LiteLLM calls back after the answer."""
    return asyncio.run_coroutine_threadsafe(coroutine, LOOPS[-1]).result(DEADLINE_S)


def router(address, strategy):
    """Two deployments, and the same numbers drawn every time."""
    random.seed(1)
    target = {"model": "openai/gpt-4o", "api_base": f"{address}/v1", "api_key": KEY}
    deployments = [{"model_name": "group", "litellm_params": target, "model_info": {"id": it}} for it in ("a", "b")]
    return litellm.Router(model_list=deployments, routing_strategy=strategy, num_retries=0)


def routed(address, strategy, **request):
    answer = router(address, strategy).completion(**{"model": "group", "messages": HELLO, **request})
    return [answer, answer._hidden_params["model_id"]]


def awaited_of_router(address, strategy, **request):
    async def call():
        """Some strategies start tasks when they are made."""
        return await router(address, strategy).acompletion(**{"model": "group", "messages": HELLO, **request})

    answer = on_loop(call())
    return [answer, answer._hidden_params["model_id"]]


def by_sdk(address, **request):
    with openai.OpenAI(base_url=f"{address}/v1", api_key=KEY, max_retries=0) as client:
        return client.chat.completions.create(model="gpt-4o", **request)


def counted(address, **request):
    return litellm.token_counter(**{"model": "gpt-4o", **request})


def logged(address, message, *arguments):
    """What a handler with LiteLLM's own filter is given."""
    handler = logging.StreamHandler(io.StringIO())
    handler.addFilter(importlib.import_module("litellm._logging")._secret_filter)
    litellm.verbose_logger.addHandler(handler)
    try:
        litellm.verbose_logger.error(message, *arguments)
    finally:
        litellm.verbose_logger.removeHandler(handler)
    return handler.stream.getvalue()


def sent(**request):
    return lambda address: answered(**request_to(address, **request))


def sent_async(**request):
    return lambda address: on_loop(awaited(**request_to(address, **request)))


def made(function, *arguments, **request):
    return lambda address: function(address, *arguments, **request)


SYNC, ASYNC, FAILED = ("success",), ("async success",), ("failure",)
# LiteLLM 1.106 imports the optional package `mcp` for any call with tools, unless told to skip that step.
WITH_TOOLS = {"messages": CHAT, "tools": TOOLS, "tool_choice": "auto", "_skip_mcp_handler": True}
CALLS = {
    "completion": (sent(), SYNC),
    "acompletion": (sent_async(), ASYNC),
    "completion of a mock": (sent(mock_response="Fine."), SYNC),
    "acompletion of a mock": (sent_async(mock_response="Fine."), ASYNC),
    "completion with tools": (sent(**WITH_TOOLS), SYNC),
    "acompletion with tools": (sent_async(**WITH_TOOLS), ASYNC),
    "completion, long": (sent(messages=LONG, stop=["\n"], temperature=0), SYNC),
    "stream": (sent(stream=True), SYNC),
    "stream, awaited": (sent_async(stream=True), ASYNC),
    "stream with usage": (sent(stream=True, stream_options={"include_usage": True}), ()),
    "stream without usage": (sent(path="bare/v1", stream=True, stream_options={"include_usage": True}), SYNC),
    "stream of tools": (sent_async(stream=True, **WITH_TOOLS), ASYNC),
    "refused": (sent(path="refusing/v1"), FAILED),
    "refused, awaited": (sent_async(path="refusing/v1"), ("async failure",)),
    "refused stream": (sent(path="refusing/v1", stream=True), FAILED),
    "busy": (sent(path="busy/v1"), FAILED),
    "no such path": (sent(path="missing"), FAILED),
    "mock of an exception": (sent(mock_response=ValueError(f"client_secret={KEY}")), FAILED),
    "unknown provider": (lambda _: answered(model="nobody/nothing", messages=HELLO), ()),
    "no model": (lambda _: answered(messages=HELLO), ()),
    "router": (made(routed, "simple-shuffle"), SYNC),
    "router, awaited": (made(awaited_of_router, "simple-shuffle"), ASYNC),
    "router by latency": (made(routed, "latency-based-routing", messages=CHAT), SYNC),
    "router by latency, awaited": (made(awaited_of_router, "latency-based-routing"), ASYNC),
    "router by load, awaited": (made(awaited_of_router, "least-busy"), ASYNC),
    "router by usage, awaited": (made(awaited_of_router, "usage-based-routing-v2"), ASYNC),
    "router by cost, awaited": (made(awaited_of_router, "cost-based-routing"), ASYNC),
    "router that fails": (made(routed, "simple-shuffle", mock_response=ValueError("no")), ()),
    "the SDK": (made(by_sdk, messages=CHAT, tools=TOOLS), ()),
    "tokens of a chat": (made(counted, messages=CHAT, tools=TOOLS, tool_choice="auto"), ()),
    "tokens of a text": (made(counted, text=LONG[0]["content"]), ()),
    "tokens of texts": (made(counted, text=["Hello", "you"]), ()),
    "tokens of another model": (made(counted, model="claude-sonnet-4-5", messages=HELLO), ()),
    "tokens of an unknown model": (made(counted, model="nobody/nothing", messages=CHAT), ()),
    "tokens of nothing": (made(counted), ()),
    "tokens of both": (made(counted, messages=HELLO, text="Hello"), ()),
    "tokens of a strange message": (made(counted, messages=[{"role": "user", "content": 3}]), ()),
    "log of a key": (made(logged, "refused with %s, client_secret=%s", f"Bearer {KEY}", KEY), ()),
    "log of a long text": (made(logged, "it says %s", "nothing of a harbour " * 500), ()),
}


def outcome(call, address):
    """What a caller has of a call: its type and content, or the exception with everything that it says."""
    try:
        return ["returned", plain(call(address))]
    except Exception as error:
        said = {name: plain(it) for name, it in vars(error).items() if isinstance(it, (str, int, type(None)))}
        return ["raised", type(error).__qualname__, text(error), said]


@contextlib.contextmanager
def informing():
    """LiteLLM logs what it does; a logger remembers what it may not say until its level is set by its own method."""
    before = litellm.verbose_logger.level
    litellm.verbose_logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        litellm.verbose_logger.setLevel(before)


def seen(name, address, told):
    """What a call comes to: its outcome, what was called back, and what LiteLLM logged."""
    call, names = CALLS[name]
    log = logging.StreamHandler(io.StringIO())
    log.addFilter(importlib.import_module("litellm._logging")._secret_filter)
    log.addFilter(lambda record: record.module != "lowest_cost")  # it complains of its caches whenever it gets to it
    told.events.clear()
    with pytest.MonkeyPatch.context() as patch, informing():
        for kept in CALLBACKS:
            patch.setattr(litellm, kept, list(getattr(litellm, kept)))  # a router leaves its own there
        litellm.verbose_logger.addHandler(log)
        try:
            found = outcome(call, address)
            told.wait(*names)
        finally:
            litellm.verbose_logger.removeHandler(log)
    lines = sorted(text(log.stream.getvalue()).splitlines())
    events = sorted((it for it in list(told.events) if it[0] in names), key=repr)
    return {"outcome": found, "callbacks": events, "log": lines}


def faces() -> dict:
    """How every public function of LiteLLM looks to a program."""
    functions = {name: it for name, it in vars(litellm).items() if callable(it) and not inspect.isclass(it)}
    methods = {f"Router.{name}": it for name, it in vars(litellm.Router).items() if inspect.isfunction(it)}
    return {name: face(it) for name, it in {**functions, **methods}.items() if hasattr(it, "__code__")}


def face(function):
    is_coroutine = inspect.iscoroutinefunction(function)
    return [function.__name__, function.__doc__, str(inspect.signature(function)), is_coroutine]


def everything(address, told):
    return {"functions": faces(), **{name: seen(name, address, told) for name in CALLS}}


@pytest.mark.parametrize("stage", [*STAGES, "uninstalled"])
@pytest.mark.parametrize("name", ["functions", *CALLS])
def test_litellm_behaves_the_same(behaviour, name, stage):
    """Result, exception, types, signatures, callbacks and log records."""
    assert behaviour["stock"][name] == behaviour[stage][name]


@pytest.mark.parametrize("stage", ["shadow", "on"])
def test_no_candidate_differs_or_fails(behaviour, stage):
    """Nor is a comparison lost to a fault of the machinery."""
    found = behaviour[f"counters {stage}"]

    assert {} == {name: it for name, it in found.items() if it["diverged"] or it["failed"]}
    assert {} == {name: it for name, it in found.items() if "machinery_failed" in it["shed"]}


def test_the_candidates_really_ran(behaviour):
    """At off nothing is counted; in shadow calls are compared, and at on candidates answer."""
    off, shadow, on = (behaviour[f"counters {stage}"] for stage in STAGES)

    assert {0} == {it["offered"] + sum(it["served"].values()) for it in off.values()}
    assert {} == {name: shadow[name]["compared"] for name in MUST_RUN if not shadow[name]["compared"]}
    assert {} == {name: on[name]["served"] for name in MUST_RUN if not on[name]["served"]["rust"]}
