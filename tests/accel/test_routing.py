"""Whole routers through the seams of routing: the same choices at every stage, and counters that say who made them."""

from __future__ import annotations

import asyncio
import json
import random
import warnings
from importlib import import_module

import pytest

import fast_litellm
from fast_litellm.accel import installation, seams
from fast_litellm.accel.attachment import EXPLANATIONS
from fast_litellm.accel.candidates import deployments

litellm = pytest.importorskip("litellm")

STRATEGIES = {
    "simple-shuffle": "routing",
    "least-busy": "routing",
    "latency-based-routing": "routing",
    "usage-based-routing-v2": "routing",
    "cost-based-routing": "async_routing",
}
MESSAGES = [{"role": "user", "content": "Hello"}]
DEPLOYMENTS = [
    {
        "model_name": "group",
        "litellm_params": {
            "model": ("openai/gpt-4o-mini", "openai/gpt-4o")[number % 2],
            "api_key": "none",
            "api_base": f"http://127.0.0.1:9/{number}",
            "mock_response": f"answer {number}",
            **({"rpm": number + 1} if number % 3 else {}),
        },
        "model_info": {"id": f"d{number}"},
    }
    for number in range(6)
]


of_python_routers = pytest.mark.skipif(seams.exists(deployments.NATIVE_ROUTER), reason="LiteLLM's router is native")

CALLBACKS = ("callbacks", "input_callback")
CALLBACKS += tuple(f"{how}{when}_callback" for how in ("", "_async_") for when in ("success", "failure"))


@pytest.fixture(autouse=True)
def uninstalled():
    """Every test ends uninstalled, and without the callbacks of its routers."""
    before = {name: list(getattr(litellm, name)) for name in CALLBACKS}
    yield
    fast_litellm.uninstall()
    for name, callbacks in before.items():
        getattr(litellm, name)[:] = callbacks


@pytest.fixture(autouse=True)
def without_background(monkeypatch):
    """The strategy by usage starts a task that never ends, for Redis."""
    base = import_module("litellm.router_strategy.base_routing_strategy").BaseRoutingStrategy
    monkeypatch.setattr(base, "setup_sync_task", lambda *_args, **_kwargs: None)


@pytest.fixture(autouse=True)
def at_any_second(monkeypatch):
    """Where both sides run on a tape, the last seconds of a minute are declined; a test may run in them."""
    monkeypatch.setattr(deployments, "_SLACK_SECONDS", 0)


@pytest.fixture
def installed(tmp_path):
    """Installs with both features at a stage; in shadow every call is compared."""

    def at(stage: str) -> None:
        flag = {"stage": stage, **({"shadow": {"percent": 100, "budget": "100%"}} if stage == "shadow" else {})}
        path = tmp_path / "rollout.yaml"
        flags = dict.fromkeys(("routing", "async_routing"), flag)
        path.write_text(json.dumps({"version": 1, "flags": flags}), encoding="utf-8")
        fast_litellm.install(path)

    return at


def counters(feature: str) -> dict:
    """The feature's counters once nothing is in flight."""
    for attachment in installation._current.attachments:
        if attachment.seam.feature == feature and attachment.feature is not None and attachment.feature.runner:
            assert attachment.feature.runner.drain(20)
    return fast_litellm.status()["features"][feature]


def choices(strategy: str, count: int, *, awaited: bool = True) -> list[str]:
    """What a fresh router selects, from one seed; 1.109 calls the methods that select deprecated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        router = litellm.Router(DEPLOYMENTS, routing_strategy=strategy)
        random.seed(11)

        async def select() -> list[str]:
            asked = {"model": "group", "messages": MESSAGES}
            return [
                (
                    await router.async_get_available_deployment(request_kwargs={"metadata": {}}, **asked)
                    if awaited
                    else router.get_available_deployment(request_kwargs={"metadata": {}}, **asked)
                )["model_info"]["id"]
                for _ in range(count)
            ]

        return asyncio.run(select())


@of_python_routers
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_same_seed_gives_the_same_choices_at_every_stage(installed, strategy):
    """Awaited, a hundred in a row; nothing is drawn besides what LiteLLM draws."""
    feature, seen, read = STRATEGIES[strategy], {}, {}
    for stage in ("off", "on"):
        installed(stage)
        seen[stage] = choices(strategy, 100)
        read[stage] = counters(feature)

    assert seen["off"] == seen["on"]
    assert read["on"]["served"]["rust"] >= 100
    assert {} == read["on"]["declined"]


@of_python_routers
@pytest.mark.parametrize("strategy", [it for it, feature in STRATEGIES.items() if feature == "routing"])
def test_a_plain_call_selects_the_same_at_every_stage(installed, strategy):
    """Cost-based routing has no plain way."""
    seen = []
    for stage in ("off", "shadow", "on"):
        installed(stage)
        seen.append(choices(strategy, 50, awaited=False))

    assert [seen[0]] * 3 == seen
    assert counters("routing")["served"]["rust"] >= 50


@of_python_routers
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_selection_is_compared_in_shadow_and_matches(installed, strategy):
    """Off the caller's path, where both sides draw the same numbers; what the caller gets is LiteLLM's."""
    installed("off")
    expected = choices(strategy, 40)
    installed("shadow")
    seen = choices(strategy, 40)
    read = counters(STRATEGIES[strategy])

    assert expected == seen
    assert read["compared"] == read["matched"] >= 40
    assert (0, {}) == (read["served"]["rust"], read["declined"])


def completed(strategy: str) -> tuple[list[str], list[str]]:
    """Whole requests of a fresh router: who answered, and what."""

    async def ask() -> list:
        random.seed(13)
        return [await router.acompletion("group", MESSAGES) for _ in range(6)]

    router = litellm.Router(DEPLOYMENTS, routing_strategy=strategy)
    answers = asyncio.run(ask())
    ids = [it._hidden_params["model_id"] for it in answers]
    return ids, [it.choices[0].message.content for it in answers]


@of_python_routers
def test_whole_requests_are_answered_alike_at_every_stage(installed):
    """By the shuffle, whose choices depend on nothing but the seed and the weights."""
    seen = []
    for stage in ("off", "shadow", "on"):
        installed(stage)
        seen.append(completed("simple-shuffle"))

    assert [seen[0]] * 3 == seen
    assert counters("routing")["served"]["rust"] >= 6


@pytest.mark.filterwarnings("ignore:Router.cache is deprecated")  # by 1.109; 1.106 has no other way to it
@pytest.mark.parametrize("strategy", ["latency-based-routing", "cost-based-routing"])
def test_what_a_selection_writes_into_the_cache_is_written_once(installed, strategy):
    """In shadow as at on: the deployments that had not been used."""
    for stage in ("off", "shadow", "on"):
        installed(stage)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            router = litellm.Router(DEPLOYMENTS, routing_strategy=strategy)
            key = "cost_map:group" if strategy == "cost-based-routing" else "group_map"
            router.cache.set_cache(key, {"d1": {}, "gone": {}})
            asked = {"model": "group", "request_kwargs": {}, "messages": MESSAGES}
            asyncio.run(router.async_get_available_deployment(**asked))
        counters(STRATEGIES[strategy])
        assert ["d1", "gone", "d0", "d2", "d3", "d4", "d5"] == list(router.cache.get_cache(key))


def test_a_release_that_routes_natively_is_left_alone_and_is_no_problem(installed, monkeypatch):
    """From 1.110 on LiteLLM's own router is native; `doctor` says so."""
    monkeypatch.setattr(seams, "exists", lambda module: module == seams.NATIVE_ROUTER)
    installed("on")
    found = [it for it in fast_litellm.doctor()["seams"] if it["feature"].endswith("routing")]

    assert {"native"} == {it["state"] for it in found if it["superseded"]}
    assert {EXPLANATIONS["native"]} == {it["meaning"] for it in found}
    assert not [it for it in fast_litellm.doctor()["problems"] if "routing" in it]
