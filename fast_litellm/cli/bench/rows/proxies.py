"""
LiteLLM's proxy with one worker, three of them side by side: everything off, in shadow and on. Each gets the same
requests in turn; measured are its own processor time, and what a client waits for.
"""

from __future__ import annotations

import functools
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, closing, contextmanager
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fast_litellm.cli import console, scratch
from fast_litellm.cli.bench import stages
from fast_litellm.cli.bench.row import Goal, Measure, Series
from fast_litellm.cli.demo import server

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

_NEEDS = ("apscheduler", "backoff", "fastapi", "orjson", "uvicorn")
_REQUESTS = 40
_MOST_ROUNDS = 10
_WARM_UP = 200
_START_S = 120.0
_LOOK_S = 0.25
_STOP_S = 20.0
_SPEEDUP, _SHADOW_COST = 1.5, 1.05
_TURNS = [{"role": ("user", "assistant")[turn % 2], "content": "Where shall we go? " * 12} for turn in range(19)]


def rows() -> Iterator[Series]:
    """
    Yields:
        Processor time a request, and the waiting of clients in the median and at the 99th percentile. Nothing where
        LiteLLM's proxy is not installed; standard error says so.
    """
    missing = [name for name in _NEEDS if util.find_spec(name) is None]
    if missing:
        console.say("LiteLLM's proxy is not installed: pip install 'litellm[proxy]' has it measured, too")
        return
    with closing(_Proxies()) as proxies:
        for stage in (stages.ON, stages.SHADOW):
            goal = Goal(Measure.SPEEDUP, _SPEEDUP) if stage == stages.ON else Goal(Measure.COST, _SHADOW_COST)
            yield Series(f"proxy, CPU a request, {stage}", goal, functools.partial(proxies.cpu, stage), _REQUESTS)
        for stage in (stages.ON, stages.SHADOW):
            goal = Goal(Measure.SPEEDUP, 1.0) if stage == stages.ON else Goal(Measure.COST, _SHADOW_COST)
            for name, share in (("p50", 0.5), ("p99", 0.99)):
                wait = functools.partial(proxies.wait, stage, share)
                yield Series(f"proxy, {name}, {stage}", goal, wait, _REQUESTS)


class _Proxy:
    """
    One proxy, and what it took.

    Args:
        process: The proxy.
        client: Sends to it.
    """

    def __init__(self, process: subprocess.Popen[bytes], client: httpx.Client) -> None:
        self._process = process
        self._client = client
        self.cpu_ns: list[float] = []
        self.waits_ns: list[list[int]] = []

    def round(self) -> None:
        """Sends a batch of requests."""
        before = self._used()
        self.waits_ns.append([self._waited() for _ in range(_REQUESTS)])
        self.cpu_ns.append((self._used() - before) / _REQUESTS)

    def warm_up(self) -> None:
        """Also uses up what comparisons may use at once."""
        for _ in range(_WARM_UP):
            self._waited()

    def _waited(self) -> int:
        started = time.perf_counter_ns()
        self._client.post("/v1/chat/completions", json={"model": "chat", "messages": _TURNS}).raise_for_status()
        return time.perf_counter_ns() - started

    def _used(self) -> float:
        """Nanoseconds of processor time; Linux counts them in hundredths of a second or so."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") * 1e9


class _Proxies:
    """All three, started when the first row is measured."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def close(self) -> None:
        """Ends them."""
        self._stack.close()

    def cpu(self, stage: str, rounds: int) -> list[tuple[float, float]]:
        """Returns nanoseconds of processor time a request at a stage and at off, one pair a round."""
        self._measure(rounds)
        return list(zip(self._all[stage].cpu_ns, self._all[stages.OFF].cpu_ns))

    def wait(self, stage: str, share: float, rounds: int) -> list[tuple[float, float]]:
        """Returns nanoseconds that so many of the requests were answered in, at a stage and at off."""
        self._measure(rounds)
        at = round(share * (_REQUESTS - 1))
        pairs = zip(self._all[stage].waits_ns, self._all[stages.OFF].waits_ns)
        return [(float(sorted(ours)[at]), float(sorted(theirs)[at])) for ours, theirs in pairs]

    def _measure(self, rounds: int) -> None:
        for _ in range(len(self._all[stages.OFF].cpu_ns), min(rounds, _MOST_ROUNDS)):
            for proxy in self._all.values():
                proxy.round()

    @functools.cached_property
    def _all(self) -> dict[str, _Proxy]:
        directory = self._stack.enter_context(scratch.directory("bench"))
        provider = self._stack.enter_context(server.running())
        key = f"sk-{secrets.token_hex(16)}"
        proxies = {it: self._stack.enter_context(_started(directory, provider, key, it)) for it in stages.STAGES}
        for proxy in proxies.values():
            proxy.warm_up()
        return proxies


@contextmanager
def _started(directory: Path, provider: str, key: str, stage: str) -> Iterator[_Proxy]:
    """LiteLLM's own command, as one that is busy all the time: in the turns of the others it is idle."""
    import httpx

    (directory / f"{stage}.yaml").write_text(json.dumps(stages.rules(stage)), encoding="utf-8")
    config = directory / "proxy.yaml"
    config.write_text(json.dumps(_config(provider, key)), encoding="utf-8")
    port = _free_port()
    litellm = str(Path(sys.executable).with_name("litellm"))
    words = [litellm, "--config", str(config), "--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"]
    with (directory / f"{stage}.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "fast_litellm.cli.bench.busy", *words],
            cwd=directory,
            env=_environment(directory, stage),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        headers = {"Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60, trust_env=False) as client:
            _wait_until_ready(process, client)
            yield _Proxy(process, client)
    finally:
        _end(process)


def _config(provider: str, key: str) -> dict[str, Any]:
    target = {"model": "openai/gpt-4o", "api_base": f"{provider}/v1", "api_key": "none"}
    return {
        "model_list": [{"model_name": "chat", "litellm_params": target}],
        "general_settings": {"master_key": key},
    }


def _environment(directory: Path, stage: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return {
        **inherited,
        "FAST_LITELLM_CONFIG": str(directory / f"{stage}.yaml"),
        "FAST_LITELLM_DISABLE": "1" if stage == stages.OFF else "0",
        "FAST_LITELLM_LEDGER": f"sqlite:///{directory / stage}.db",
        "FAST_LITELLM_STATE": str(directory / f"{stage}-state"),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }


def _wait_until_ready(process: subprocess.Popen[bytes], client: httpx.Client) -> None:
    until = time.monotonic() + _START_S
    while not _answers(client):
        if time.monotonic() > until or process.poll() is not None:
            raise RuntimeError("LiteLLM's proxy did not start")
        time.sleep(_LOOK_S)


def _answers(client: httpx.Client) -> bool:
    import httpx

    try:
        return client.get("/health/liveliness").status_code == httpx.codes.OK
    except httpx.TransportError:  # nobody listens yet
        return False


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
