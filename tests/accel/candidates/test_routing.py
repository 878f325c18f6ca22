"""The candidates of routing against LiteLLM's own strategies: the same choice from the same state, or declined."""

from __future__ import annotations

import copy
import functools
import importlib
import importlib.util
import inspect
import logging
import random
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fast_litellm.accel import fingerprint, native, references
from fast_litellm.accel.candidates import deployments
from fast_litellm.accel.patching import held
from fast_litellm.accel.seams import SEAMS, exists
from fast_litellm.errors import Declined
from fast_litellm.shadow import tape

pytest.importorskip("litellm.router_strategy.lowest_latency")
if exists(deployments.NATIVE_ROUTER):
    pytest.skip("LiteLLM's router is native", allow_module_level=True)

spec = importlib.util.spec_from_file_location("router_states", Path(__file__).with_name("router_states.py"))
states = importlib.util.module_from_spec(spec)
spec.loader.exec_module(states)

ROUNDS = 600
PLACES = {seam.name.rpartition(".")[2]: seam for seam in SEAMS if seam.feature.endswith("routing")}
SHUFFLE, KEYS, BUSY = "simple_shuffle", "_request_count_keys", "_least_busy"
LATENCY, USAGE = "_get_available_deployments", "_common_checks_available_deployment"
COST = "async_get_available_deployments"


def reference(name):
    return import_module(PLACES[name].module)


def control(name):
    """LiteLLM's own function, whatever stands at its place."""
    return inspect.unwrap(held(reference(name), PLACES[name].name)[2])


def candidate(name):
    seam = PLACES[name]
    known = references.known(seam.feature, fingerprint.fingerprint(seam.sources))
    return seam.candidate(reference(name), known.semantics)


def handler(name, **cached):
    """A strategy's handler, with a cache that holds something."""
    cache = states.DualCache()
    for key, value in cached.items():
        cache.set_cache(key, value)
    kind = getattr(reference(name), PLACES[name].name.partition(".")[0])
    if name != USAGE:
        return kind(cache)
    selector = kind.__new__(kind)  # its constructor starts a task, or an event loop that nobody closes
    selector.router_cache = cache
    return selector


@pytest.fixture(autouse=True)
def steady_clock(monkeypatch):
    """No minute ends during a test."""
    for name in (LATENCY, COST):
        monkeypatch.setattr(reference(name), "datetime", states.Clock)


def shuffles(dice):
    return str, states.deployments(dice), "group", dice.choice([None, {}, {"_router_weights": None}])


def latencies(dice, selector=None):
    if selector is None:
        selector = handler(LATENCY)
        selector.routing_args.lowest_latency_buffer = dice.choice([0, 0.5, 10.0])
        selector.routing_args.ttft_percentile = dice.choice([None, None, 0.1, 0.5, 0.9, 1])
    texts = dice.choice([(states.MESSAGES, None), (None, "Hello"), (None, None)])
    return selector, "group", states.deployments(dice), *texts, states.request(dice), states.usage(dice)


def usages(dice):
    healthy = states.deployments(dice)
    ids = [it["model_info"]["id"] for it in healthy] + dice.sample(["ghost", "d0"], dice.randrange(2))
    keys = [[f"{name}:gpt-4o:{kind}:20-15" for name in ids] for kind in ("tpm", "rpm")]
    values = [[dice.choice([None, 0, 1, 1, 50, 2.5]) for _ in ids] for _ in keys]
    selector = handler(USAGE)
    return selector, "group", healthy, keys[0], values[0], keys[1], values[1], states.MESSAGES, None


def costs(dice):
    kept = states.usage(dice)
    cached = {"cost_map:group": kept} if dice.random() < 0.8 else {}
    return handler(COST, **cached), "group", states.deployments(dice), states.MESSAGES, None, states.request(dice)


def keys(dice):
    return dice.choice(["group", "é"]), states.deployments(dice)


def counts(dice):
    healthy = states.deployments(dice)
    return healthy, tuple(dice.randrange(-1, 4) for _ in healthy)


CALLS = {SHUFFLE: shuffles, KEYS: keys, BUSY: counts, LATENCY: latencies, USAGE: usages, COST: costs}


@pytest.mark.parametrize("name", CALLS)
def test_the_same_state_gives_the_same_choice(name):
    """The same deployment, the same arguments afterwards, the same numbers drawn; declined is at most every tenth."""
    dice, ours, answered = random.Random(1), candidate(name), 0
    for _ in range(ROUNDS // 5 if name == COST else ROUNDS):
        args = CALLS[name](dice)
        found = states.answered(ours, args)
        if found is not None:
            assert states.asked(control(name), args) == found
            answered += 1
    assert answered > (ROUNDS // 5 if name == COST else ROUNDS) * 0.8


@pytest.mark.parametrize("name", [SHUFFLE, LATENCY, USAGE])
def test_the_same_seed_gives_the_same_thousand_choices(name):
    """One sequence of numbers, drawn from by a thousand selections in a row."""
    dice, ours = random.Random(3), candidate(name)
    calls = [CALLS[name](dice) for _ in range(1_000)]
    usable = [args for args in calls if states.answered(ours, args) is not None]
    random.seed(5)
    theirs = [control(name)(*states.copied(args)) for args in usable]
    random.seed(5)
    answers = [ours.run(ours.prepare(args, {}), args, {}) for args in usable]

    assert len(usable) > 800
    assert theirs == answers


def test_streamed_requests_are_selected_by_their_first_token():
    """The generated states are such that it matters."""
    slow, fast = ({"model_info": {"id": name}, "litellm_params": {}} for name in ("d0", "d1"))
    kept = {"d0": {states.LATENCY: [1.0], "time_to_first_token_seconds": [9.0]}, "d1": {states.LATENCY: [2.0]}}
    kept["d1"]["time_to_first_token_seconds"] = [0.5, 0.25]
    choices = []
    for stream in (False, True):
        args = (handler(LATENCY), "group", [slow, fast], None, None, {"stream": stream}, copy.deepcopy(kept))
        found = states.answered(candidate(LATENCY), args)
        assert states.asked(control(LATENCY), args) == found
        choices.append(found.value)

    assert [slow, fast] == choices


def test_the_last_of_two_deployments_with_one_id_is_selected():
    """As the search that does not stop finds it."""
    twins = [{"model_info": {"id": "d0"}, "litellm_params": {"model": "m", "n": n}} for n in range(2)]
    for name in (LATENCY, COST):
        args = (handler(name), "group", twins, None, None, None, *([{}] if name == LATENCY else []))
        assert twins[1] == states.answered(candidate(name), args).value == states.asked(control(name), args).value


@pytest.mark.parametrize(("name", "is_read"), [("AliasedCostEntry", True), ("Other", False)])
def test_a_row_of_the_price_list_may_know_its_models_names(name, is_read, monkeypatch):
    """From 1.109 on LiteLLM has a class of dicts for models of several names; what another class does, nobody knows."""
    kind = type(name, (dict,), {})
    monkeypatch.setattr(import_module("litellm.litellm_core_utils.get_model_cost_map"), name, kind, raising=False)
    rows = {model: kind(input_cost_per_token=price) for model, price in (("dear", 9.0), ("cheap", 1.0))}
    monkeypatch.setattr(import_module("litellm"), "model_cost", rows)
    healthy = [{"model_info": {"id": model}, "litellm_params": {"model": model}} for model in rows]
    args = (handler(COST), "group", healthy, None, None, None)
    found = states.answered(candidate(COST), args)

    assert healthy[1] == states.asked(control(COST), args).value
    assert (healthy[1] if is_read else None) == (found and found.value)


def test_tokens_are_counted_only_where_some_deployment_limits_them(monkeypatch):
    """Counting them takes longer than the selection."""
    counted = []
    monkeypatch.setattr(reference(LATENCY), "token_counter", lambda **asked: counted.append(asked) or 5)
    for limits in ({}, {"rpm": 5}, {"tpm": 4}):
        one = {"model_info": {"id": "d0"}, "litellm_params": limits}
        args = (handler(LATENCY), "group", [one], states.MESSAGES, None, None, {})
        assert (None if "tpm" in limits else one) == states.answered(candidate(LATENCY), args).value

    assert [{"messages": states.MESSAGES, "text": None}] == counted


def test_a_count_that_fails_is_zero(monkeypatch):
    """As the reference takes it."""

    def fails(**_asked):
        raise ValueError

    monkeypatch.setattr(reference(USAGE), "token_counter", fails)
    one = {"model_info": {"id": "d0"}, "litellm_params": {"tpm": 0}}
    args = (handler(USAGE), "group", [one], ["d0:m:tpm:1"], [0], ["d0:m:rpm:1"], [0], states.MESSAGES, None)

    assert one == states.answered(candidate(USAGE), args).value == states.asked(control(USAGE), args).value


ONE = {"model_info": {"id": "d0"}, "litellm_params": {"model": "gpt-4o"}}


class Text(str):
    """A text that may be equal to anything."""

    __slots__ = ()


def with_info(**info):
    return {**ONE, "model_info": {**ONE["model_info"], **info}}


def with_params(**params):
    return {**ONE, "litellm_params": {**ONE["litellm_params"], **params}}


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"model_info": {}},
        {"model_info": None},
        [],
        with_info(id=1),
        with_info(id=Text("d0")),
        with_info(id="\ud800"),
        with_info(tpm="10"),
        {**ONE, "litellm_params": None},
        with_params(tpm=True),
        with_params(rpm=float("nan")),
        with_params(tpm=1 << 60),
        with_params(api_base=["unhashable"]),
    ],
    ids=repr,
)
def test_odd_deployments_are_declined(odd):
    """Python selects from them, or raises."""
    for args in ((handler(LATENCY), "g", [ONE, odd], None, None, None, {}), (handler(COST), "g", [ONE, odd])):
        assert states.answered(candidate(LATENCY if len(args) > 3 else COST), args) is None


@pytest.mark.parametrize(
    "samples", [[-1.0], [float("inf")] if states.LATENCY == "latency" else ["x"], ["1"], [True], 1]
)
def test_odd_latencies_are_declined_or_left_out_as_the_reference_does(samples):
    """From 1.109 on, what cannot be a time is left out."""
    args = (handler(LATENCY), "g", [ONE], None, None, None, {"d0": {states.LATENCY: samples}})
    found = states.answered(candidate(LATENCY), args)

    assert found is None or states.asked(control(LATENCY), args) == found


@pytest.mark.parametrize(
    ("name", "args", "reason"),
    [
        (SHUFFLE, (), "control_raises"),
        (SHUFFLE, (str, [], "g", None), "no_deployments"),
        (SHUFFLE, (str, (ONE,), "g", None), "opaque_value"),
        (SHUFFLE, (str, [ONE], "g", {"_router_weights": {"g": {"d0": 1.0}}}), "router_weights"),
        (SHUFFLE, (str, [with_params(weight=-1)], "g", None), "negative_weight"),
        (SHUFFLE, (str, [with_params(weight="1")], "g", None), "opaque_number"),
        (KEYS, ("g",), "control_raises"),
        (KEYS, (None, [ONE]), "opaque_value"),
        (KEYS, ("g", [{}]), "opaque_id"),
        (BUSY, ([ONE],), "control_raises"),
        (BUSY, ([ONE], ()), "opaque_value"),
        (BUSY, ([ONE], (None,)), "opaque_number"),
        (BUSY, ([], ()), "no_deployments"),
        (LATENCY, (), "control_raises"),
        (LATENCY, (None, "g", [ONE], None, None, None, {}), "handler_type"),
        (USAGE, (None, "g", [ONE], [], [], [], []), "handler_type"),
        (COST, (None, "g", [ONE]), "handler_type"),
    ],
)
def test_other_calls_are_declined(name, args, reason):
    """Python answers them, or raises."""
    ours = candidate(name)
    with pytest.raises(Declined, match=reason):
        ours.run(ours.prepare(args, {}), args, {})


@pytest.mark.parametrize(
    ("request_kwargs", "kept", "reason"),
    [
        ({"metadata": None}, {}, "opaque_value"),
        ([], {}, "opaque_value"),
        ({}, None, "opaque_value"),
        ({}, {1: {}}, "opaque_id"),
        ({}, {"d0": None}, "opaque_value"),
        ({}, {"d0": {states.MINUTE: {"tpm": "1"}}}, "opaque_number"),
    ],
)
def test_odd_states_are_declined_before_anything_is_changed(request_kwargs, kept, reason):
    """The cache and the request are as they were, and nothing has been drawn."""
    ours, args = candidate(LATENCY), (handler(LATENCY), "g", [ONE], None, None, request_kwargs, kept)
    before, entropy = repr(args[2:]), random.getstate()
    with pytest.raises(Declined, match=reason):
        ours.run(ours.prepare(args, {}), args, {})

    assert (before, entropy) == (repr(args[2:]), random.getstate())


def test_ids_with_a_colon_are_declined():
    """The reference cuts them at the colon."""
    args = (handler(USAGE), "g", [with_info(id="a:b")], ["a:b:m:tpm:1"], [1], ["a:b:m:rpm:1"], [1])

    assert states.answered(candidate(USAGE), args) is None


@pytest.mark.parametrize(
    ("name", "logger", "level"),
    [(SHUFFLE, "LiteLLM Router", "INFO"), (USAGE, "LiteLLM", "DEBUG"), (COST, "LiteLLM Router", "DEBUG")],
)
def test_a_selection_that_is_logged_is_declined(name, logger, level, monkeypatch):
    """The record names the caller, and would be written once more for each comparison."""
    monkeypatch.setattr(logging.getLogger(logger), "level", getattr(logging, level))
    logging.getLogger(logger).manager._clear_cache()
    try:
        with pytest.raises(Declined, match="verbose"):
            candidate(name).prepare(CALLS[name](random.Random(1)), {})
    finally:
        monkeypatch.undo()
        logging.getLogger(logger).manager._clear_cache()


@pytest.mark.parametrize(
    ("name", "helper"),
    [
        (SHUFFLE, "_metric_weight"),
        (KEYS, "_request_count_key"),
        (LATENCY, "_average_latency"),
        (USAGE, "LowestTPMLoggingHandler_v2._return_potential_deployments"),
        (COST, "_deployment_cost_map_rates"),
    ],
)
def test_a_patched_helper_is_noticed(name, helper, monkeypatch):
    """Somebody who replaces it expects to see it called."""
    ours = candidate(name)
    owner, attribute, _ = held(reference(name), helper)
    monkeypatch.setattr(owner or reference(name), attribute, lambda *_args: 1)
    with pytest.raises(Declined, match="reference_patched"):
        ours.prepare(CALLS[name](random.Random(1)), {})


def test_a_minute_that_ends_between_both_sides_is_declined_on_a_tape(monkeypatch):
    """No tape holds the strategies' clock; outside of a comparison every moment will do."""
    moment = datetime.now()  # noqa: DTZ005 - as the strategies read it
    steady = moment.replace(second=30)
    last = moment.replace(second=59)
    monkeypatch.setattr(states.Clock, "moment", last)
    assert last.strftime("%Y-%m-%d-%H-%M") == deployments.minute(reference(LATENCY))

    common = tape.Tape()
    common.clocks["time"] = steady.timestamp()
    with common.on_this_thread(), tape.run():
        for late in (last, steady + timedelta(minutes=1)):
            monkeypatch.setattr(states.Clock, "moment", late)
            with pytest.raises(Declined, match="minute_ends"):
                deployments.minute(reference(LATENCY))
        monkeypatch.setattr(states.Clock, "moment", steady)
        assert steady.strftime("%Y-%m-%d-%H-%M") == deployments.minute(reference(LATENCY))


@pytest.mark.parametrize("drawn", ["choice", "choices", "sample"])
@pytest.mark.parametrize("name", [SHUFFLE, LATENCY, USAGE])
def test_a_generator_that_somebody_plays_is_noticed(name, drawn, monkeypatch):
    """Tests of LiteLLM replace it; what they return is a deployment, and they look at the weights they are given."""
    ours, calls = candidate(name), CALLS[name](random.Random(1))
    monkeypatch.setattr(random, drawn, lambda *_args, **_kwargs: ONE)
    with pytest.raises(Declined, match="reference_patched"):
        ours.prepare(calls, {})


def test_on_a_tape_nobody_plays_the_generator():
    """The stand-ins of a comparison, also of one on another thread, draw as the generator would."""
    one = {"model_info": {"id": "d0"}, "litellm_params": {"weight": 1}}
    with tape.Tape().on_this_thread(), tape.run():
        chosen = states.answered(candidate(SHUFFLE), (str, [one], "g", None)).value

    assert one == chosen


def test_a_handler_with_a_method_of_somebodys_own_is_declined():
    """As `patch.object` gives it one."""
    selector = handler(USAGE)
    selector._return_potential_deployments = lambda **_asked: [ONE]
    args = (selector, "g", [ONE], ["d0:m:tpm:1"], [0], ["d0:m:rpm:1"], [0])
    with pytest.raises(Declined, match="reference_patched"):
        candidate(USAGE).prepare(args, {})


@pytest.mark.parametrize("name", [SHUFFLE, LATENCY, USAGE])
@given(seed=st.integers(0, 1 << 64), drawn=st.integers(0, 1 << 64))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_same_entropy_gives_the_same_draw(name, seed, drawn):
    """Whatever the state of the router and of the generator; and both leave the generator in one state."""
    args, ours = CALLS[name](random.Random(seed)), known(name)
    outcomes = []
    for answer in (control(name), lambda *call: ours.run(ours.prepare(call, {}), call, {})):
        random.seed(drawn)
        outcomes.append((_outcome(answer, states.copied(args)), random.getstate()))

    assert outcomes[1][0] is Declined or outcomes[0] == outcomes[1]


def _outcome(function, args):
    try:
        return function(*args)
    except Exception as error:
        return type(error)


@functools.cache
def known(name):
    """One candidate for many examples."""
    return candidate(name)


@given(seed=st.integers(0, 1 << 64), count=st.integers(0, 400))
@settings(max_examples=60, deadline=None)
def test_a_permutation_is_the_one_that_python_draws(seed, count):
    """And the generator is left as Python leaves it."""
    random.seed(seed)
    expected = random.sample(range(count), count), random.getstate()
    random.seed(seed)

    assert expected == (deployments.permutation(reference(LATENCY), count), random.getstate())
    assert deployments._is_drawn_natively()


def test_a_python_that_draws_otherwise_is_asked_itself(monkeypatch):
    """A later one may; nothing is drawn natively there."""
    monkeypatch.setattr(deployments, "_is_drawn_natively", lambda: False)
    random.seed(7)
    expected = random.sample(range(30), 30)
    monkeypatch.setattr(native, "permutation", lambda *_asked: [])
    random.seed(7)

    assert expected == deployments.permutation(reference(LATENCY), 30)


@pytest.mark.parametrize("drawn", ["_randbelow", "getrandbits"])
def test_a_generator_of_somebodys_own_kind_is_noticed(drawn, monkeypatch):
    """What it draws with is what a permutation is drawn with natively."""
    ours = candidate(LATENCY)
    monkeypatch.setattr(random.Random, drawn, lambda _self, _limit: 0, raising=False)
    with pytest.raises(Declined, match="reference_patched"):
        ours.prepare(latencies(random.Random(1)), {})


def test_what_is_kept_nowhere_is_not_written():
    """The reference notes deployments without usage in a dict that ends with the call, unless one is kept."""
    healthy = states.deployments(random.Random(1))
    for cached in ({}, {"cost_map:group": {}}, {"cost_map:group": {"other": {}}}):
        args = (handler(COST, **cached), "group", healthy, states.MESSAGES, None, None)
        found = states.answered(candidate(COST), args)
        assert found is not None
        assert states.asked(control(COST), args) == found


@given(st.integers(0, 1 << 64))
@settings(max_examples=60, deadline=None)
def test_the_first_of_the_least_busy_is_selected_whatever_the_counts(seed):
    """Nothing is drawn, so the generator stays as it is."""
    args, entropy = counts(random.Random(seed)), random.getstate()
    found = _outcome(lambda *call: known(BUSY).run(known(BUSY).prepare(call, {}), call, {}), args)

    assert found in (Declined, _outcome(control(BUSY), args))
    assert entropy == random.getstate()
