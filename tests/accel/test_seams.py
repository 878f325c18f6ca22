"""Whole calls through the seams: what is sent, answered, raised and logged is the same at every stage."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import inspect
import io
import json
import logging
import pickle
import sys
import threading

import pytest

import fast_litellm
from fast_litellm import _native
from fast_litellm.accel import installation
from fast_litellm.accel.seams import SEAMS
from fast_litellm.cli.demo import server

litellm = pytest.importorskip("litellm")
openai = pytest.importorskip("openai")

STAGES = ("off", "shadow", "on")
FEATURES = tuple(dict.fromkeys(seam.feature for seam in SEAMS))
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
        "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    },
    {"role": "tool", "tool_call_id": "1", "content": "42"},
]
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"a": {}}}}}]


class Recording(server.ChatHandler):
    """The demo's server, which keeps what it is sent; under /refusing it repeats the key in an error."""

    def do_POST(self) -> None:  # noqa: N802 - the base class's
        stream = self.rfile
        body = stream.read(int(self.headers["Content-Length"]))
        self.server.bodies.append(body)
        if self.path.startswith("/refusing"):
            return self._send_json(401, {"error": {"message": f"no such key: Bearer {KEY}", "type": "x", "code": "y"}})
        self.rfile = io.BytesIO(body)
        try:
            super().do_POST()
        finally:
            self.rfile = stream


@pytest.fixture(scope="module")
def endpoint():
    """A server in this process."""
    with server.ChatServer(("127.0.0.1", 0), Recording) as running:
        running.bodies = []
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join(10)


@pytest.fixture
def address(endpoint):
    return f"http://127.0.0.1:{endpoint.server_address[1]}"


@pytest.fixture(autouse=True)
def uninstalled():
    """Every test ends uninstalled."""
    yield
    fast_litellm.uninstall()


@pytest.fixture
def installed(tmp_path):
    """Installs with every feature at a stage; in shadow every call is compared."""

    def at(stage: str) -> None:
        flag = {"stage": stage, **({"shadow": {"percent": 100, "budget": "100%"}} if stage == "shadow" else {})}
        path = tmp_path / "rollout.yaml"
        path.write_text(json.dumps({"version": 1, "flags": dict.fromkeys(FEATURES, flag)}), encoding="utf-8")
        fast_litellm.install(path)

    return at


def counters(feature: str) -> dict:
    """The feature's counters once nothing is in flight."""
    for attachment in installation._current.attachments:
        if attachment.seam.feature == feature and attachment.feature is not None and attachment.feature.runner:
            assert attachment.feature.runner.drain(10)
    return fast_litellm.status()["features"][feature]


def by_sdk(address, **request):
    with openai.OpenAI(base_url=f"{address}/v1", api_key=KEY, max_retries=0) as client:
        answer = client.chat.completions.create(model="gpt-4o", **request)
        return [part.model_dump() for part in answer] if request.get("stream") else answer.model_dump()


def by_async_sdk(address, **request):
    async def call():
        async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key=KEY, max_retries=0) as client:
            return await client.chat.completions.create(model="gpt-4o", **request)

    return asyncio.run(call()).model_dump()


def by_litellm(address, *, tools=None, tool_choice=None, **request):
    """Without tools, for which LiteLLM asks for a package that only its proxy brings."""
    answer = litellm.completion("openai/gpt-4o", api_base=f"{address}/v1", api_key=KEY, num_retries=0, **request)
    return {**answer.model_dump(), "id": ""}


def asked(call, address, request_of) -> int:
    """How often a call asks for a transformation; from 1.108 on, LiteLLM sends its requests without the SDK."""
    resource = importlib.import_module("openai.resources.chat.completions.completions")
    with pytest.MonkeyPatch.context() as patch:
        calls = []
        for name in ("maybe_transform", "async_maybe_transform"):
            function = getattr(resource, name)
            patch.setattr(resource, name, lambda *args, function=function: (calls.append(1), function(*args))[1])
        call(address, **request_of)
    return len(calls)


@pytest.mark.parametrize("call", [by_sdk, by_async_sdk, by_litellm])
@pytest.mark.parametrize(
    "request_of",
    [
        {"messages": HELLO},
        {"messages": CHAT, "tools": TOOLS, "tool_choice": "auto", "temperature": 0, "extra_body": {"x": [1, None]}},
        {"messages": [{"role": "user", "content": "é \U0001f600 " * 500}], "stop": ["\n"], "metadata": {"a": "b"}},
    ],
    ids=["short", "tools", "long"],
)
def test_a_request_is_the_same_bytes_at_every_stage(installed, endpoint, address, call, request_of):
    """And so is its answer; counters say that candidates were compared in shadow and answered at on."""
    answers, bodies, read = [], [], {}
    expected = asked(call, address, request_of)
    for stage in STAGES:
        installed(stage)
        before = counters("request_transform")
        del endpoint.bodies[:]
        answers.append(call(address, **request_of))
        bodies.append(list(endpoint.bodies))
        after = counters("request_transform")
        read[stage] = {name: after[name] - before[name] for name in ("compared", "matched")}
        read[stage]["rust"] = after["served"]["rust"] - before["served"]["rust"]

    assert bodies[0]
    assert [bodies[0]] * 3 == bodies
    assert [answers[0]] * 3 == answers
    assert {"compared": 0, "matched": 0, "rust": 0} == read["off"]
    assert {"compared": expected, "matched": expected, "rust": 0} == read["shadow"]
    assert expected == read["on"]["rust"] >= (call is not by_litellm)
    assert {} == counters("request_transform")["declined"]


def test_a_stream_is_the_same_at_every_stage(installed, endpoint, address):
    """Its request and its chunks."""
    seen = []
    for stage in STAGES:
        installed(stage)
        del endpoint.bodies[:]
        seen.append((by_sdk(address, messages=HELLO, stream=True), list(endpoint.bodies)))

    assert [seen[0]] * 3 == seen
    assert len(seen[0][0]) > 2


def streamed(address, call):
    """All there is of a stream's chunks, what is built of them, and how often the SDK constructed something."""
    base_client = importlib.import_module("openai._base_client")
    request = {"model": "openai/gpt-4o", "messages": HELLO, "stream": True, "api_base": f"{address}/v1", "api_key": KEY}
    construct, calls = base_client.construct_type, []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base_client, "construct_type", lambda **given: (calls.append(1), construct(**given))[1])
        chunks = call(**request)
    whole = litellm.stream_chunk_builder(chunks, messages=HELLO)
    return [*map(without_time, chunks), whole.choices, whole.usage], len(calls)


def without_time(chunk):
    """All there is of a chunk but when it was made, and when the server answered."""
    told = _native.freeze_models(chunk)[0]
    told["fields"]["created"] = told["private"]["_hidden_params"]["created_at"] = 0
    told["private"]["_hidden_params"]["additional_headers"].pop("llm_provider-date", None)
    return told


def in_turn(**request):
    return list(litellm.completion(**request))


def awaited(**request):
    async def call():
        return [chunk async for chunk in await litellm.acompletion(**request)]

    return asyncio.run(call())


@pytest.fixture
def tidy():
    """LiteLLM's synchronous streams leave an event loop to the thread that reads them, open."""
    yield
    asyncio.run(asyncio.sleep(0))
    gc.collect()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("tidy")
@pytest.mark.parametrize("call", [in_turn, awaited])
def test_litellms_chunks_are_the_same_at_every_stage(installed, address, call):
    """In every part, and so is what is built of them; each chunk is compared in shadow and the candidate's at on."""
    seen, read = [], {}
    for stage in STAGES:
        installed(stage)
        before = counters("stream_parsing")
        seen.append(streamed(address, call))
        after = counters("stream_parsing")
        read[stage] = (after["matched"] - before["matched"], after["served"]["rust"] - before["served"]["rust"])
    expected = seen[0][1]

    assert [seen[0]] * 3 == seen
    assert expected > 2
    assert ((0, 0), (expected, 0), expected) == (read["off"], read["shadow"], read["on"][1])
    assert (0, {}) == (after["diverged"], after["declined"])
    assert counters("stream_wrapping")["served"]["rust"] > 0


def test_the_control_is_replaced_where_it_is_called_from_only(installed):
    """It calls itself for every part of a response: those calls are not routed, and uninstalling puts it back."""
    base_client, models = importlib.import_module("openai._base_client"), importlib.import_module("openai._models")
    control = models.construct_type
    installed("on")
    routed = base_client.construct_type

    assert (control, True) == (models.construct_type, routed is not control)
    assert "patched" == fast_litellm.status()["features"]["stream_parsing"]["state"]

    fast_litellm.uninstall()

    assert base_client.construct_type is control


@contextlib.contextmanager
def logged():
    """What LiteLLM's logger writes through LiteLLM's own filter."""
    handler = logging.StreamHandler(io.StringIO())
    handler.addFilter(importlib.import_module("litellm._logging")._secret_filter)
    litellm.verbose_logger.addHandler(handler)
    try:
        yield handler.stream
    finally:
        litellm.verbose_logger.removeHandler(handler)


def refused(address) -> str:
    """What a program sees and logs of a call that the provider refuses, and repeats the key in its answer."""
    with logged() as log:
        try:
            litellm.completion("openai/gpt-4o", HELLO, api_base=f"{address}/refusing/v1", api_key=KEY, num_retries=0)
        except openai.AuthenticationError as error:
            litellm.verbose_logger.error("refused with %s, client_secret=%s", error, KEY)
            return f"{type(error)} {error} {log.getvalue()}"
    pytest.fail("the call was answered")


def test_a_refused_call_raises_and_logs_the_same_at_every_stage(installed, address):
    """Class, text and the log's lines; no key is in the log, and the candidate has really redacted it."""
    pytest.importorskip("litellm.litellm_core_utils.secret_redaction")
    seen, read = [], {}
    for stage in STAGES:
        installed(stage)
        seen.append(refused(address))
        read[stage] = counters("secret_redaction")

    assert [seen[0]] * 3 == seen
    assert "client_secret=" not in seen[0].partition("refused with")[2]
    assert KEY not in seen[0].partition("refused with")[2]
    assert read["shadow"]["compared"] == read["shadow"]["matched"] > 0
    assert read["on"]["served"]["rust"] > read["shadow"]["served"]["rust"]
    assert {} == read["on"]["declined"]


def test_a_log_handler_that_redacts_may_log_of_a_failed_candidate(tmp_path, installed, address):
    """The failure's event passes the seam itself; it is not told of again and again."""
    pytest.importorskip("litellm.litellm_core_utils.secret_redaction")

    class Broken:
        build = "broken"

        def __init__(self, _module, _semantics):
            pass

        def prepare(self, _args, _kwargs):
            raise ValueError("secret")

    path = tmp_path / "on.yaml"
    path.write_text(json.dumps({"version": 1, "flags": {"secret_redaction": {"stage": "on"}}}), encoding="utf-8")
    handler = logging.StreamHandler(io.StringIO())
    handler.addFilter(importlib.import_module("litellm._logging")._secret_filter)
    logging.getLogger("fast_litellm").addHandler(handler)
    try:
        fast_litellm.install(path, candidates={"secret_redaction": Broken})
        refused(address)
    finally:
        logging.getLogger("fast_litellm").removeHandler(handler)

    found = counters("secret_redaction")
    assert found["failed"]["ValueError"] == found["served"]["python"] > 0
    assert 0 < handler.stream.getvalue().count("accel.candidate_failed") < found["served"]["python"]


def held() -> dict:
    """Every place of the loaded modules that holds a function by name which is replaced wherever it is held."""
    replaced = [seam for seam in SEAMS if seam.defined_in is None and not seam.is_superseded]
    names = {seam.name for seam in replaced if seam.feature != "token_counting"}
    return {
        (module.__name__, name): vars(module)[name]
        for module in list(sys.modules.values())
        if getattr(module, "__name__", "").startswith(("openai", "litellm"))
        for name in names & set(getattr(module, "__dict__", ()))
        if callable(vars(module)[name])  # a function's module may have its name
    }


def test_every_importer_of_the_sdks_functions_is_covered(installed):
    """A resource that imported them by name is routed, one imported later, too; afterwards all hold the originals."""
    name = "openai.resources.batches"
    importlib.import_module("openai.resources.chat.completions")
    sys.modules.pop(name, None)
    before = held()
    installed("on")
    during = held()
    late = importlib.import_module(name)

    assert before.keys() == during.keys()
    assert not [place for place in before if before[place] is during[place]]
    assert late.maybe_transform is during["openai._utils", "maybe_transform"]
    assert inspect.iscoroutinefunction(late.async_maybe_transform)

    fast_litellm.uninstall()

    after = held()

    assert before == {place: after[place] for place in before}
    for function in ("maybe_transform", "async_maybe_transform"):
        assert before["openai._utils", function] is getattr(late, function)


def test_one_feature_with_two_seams_is_one_account(installed):
    """Both places are named, and both functions count as the feature."""
    transform = importlib.import_module("openai._utils._transform")
    params = importlib.import_module("openai.types.chat.completion_create_params").CompletionCreateParams
    installed("on")
    answers = [
        transform.maybe_transform({"model": "m"}, params),
        asyncio.run(transform.async_maybe_transform({"model": "m"}, params)),
    ]
    found = counters("request_transform")

    assert [{"model": "m"}] * 2 == answers
    assert ("patched", True, {"python": 0, "rust": 2}) == (found["state"], found["patched"], found["served"])
    assert ["maybe_transform", "async_maybe_transform"] == [it.rpartition(".")[2] for it in found["seam"].split(", ")]


def test_a_coroutine_that_the_candidate_declines_is_answered_by_the_control(installed):
    """A tuple becomes a list, as the SDK makes it; the decline is counted."""
    transform = importlib.import_module("openai._utils._transform")
    params = importlib.import_module("openai.types.chat.completion_create_params").CompletionCreateParams
    installed("on")
    answer = asyncio.run(transform.async_maybe_transform({"messages": (HELLO[0],)}, params))

    assert {"messages": HELLO} == answer
    found = counters("request_transform")
    assert ({"opaque_value": 1}, {"python": 1, "rust": 0}) == (found["declined"], found["served"])


def test_a_release_without_the_function_says_so(installed, monkeypatch):
    """The seam stays out, and doctor calls that no problem."""
    monkeypatch.setitem(sys.modules, "litellm.litellm_core_utils.secret_redaction", None)
    monkeypatch.delitem(sys.modules, "litellm.litellm_core_utils.secret_redaction")
    monkeypatch.setattr("fast_litellm.accel.attachment.exists", lambda _: False)
    monkeypatch.setattr("fast_litellm.accel.diagnosis.exists", lambda name: "redaction" not in name)
    installed("on")
    found = fast_litellm.status()["features"]["secret_redaction"]

    assert ("absent", False) == (found["state"], found["patched"])
    assert not [problem for problem in fast_litellm.doctor()["problems"] if "secret_redaction" in problem]


def test_what_stands_where_the_sdk_calls_it_is_pickled_as_what_the_sdk_defines(tmp_path):
    """The function keeps its own name in the module that defines it, and a pickle says that name."""
    base_client, models = (importlib.import_module(f"openai.{name}") for name in ("_base_client", "_models"))
    path = tmp_path / "rollout.yaml"
    path.write_text(json.dumps({"version": 1, "flags": {"stream_parsing": {"stage": "on"}}}))
    fast_litellm.install(path)
    replacement = base_client.construct_type

    assert models.construct_type is not replacement
    assert models.construct_type is pickle.loads(pickle.dumps(replacement))
