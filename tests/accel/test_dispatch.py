"""The native object at a seam: decides, routes, counts, and looks like the function it replaces."""

from __future__ import annotations

import copy
import functools
import inspect
import pickle
import pydoc
import weakref
from contextvars import ContextVar

import pytest

from fast_litellm.accel.context import context, current
from fast_litellm.accel.native import Dispatcher, Tally
from fast_litellm.errors import Declined
from fast_litellm.flags import FlagManager


def control(text: str, times: int = 1) -> str:
    """Repeats a text."""
    return text * times


class Candidate:
    """Answers with a mark, or raises what it is told to."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error
        self.ran = 0

    def prepare(self, args, kwargs):
        return "plan"

    def run(self, plan, args, kwargs):
        self.ran += 1
        if self.error is not None:
            raise self.error
        return ("candidate", plan, args, kwargs)


class Seam:
    """A dispatcher with everything it is connected to."""

    def __init__(self, candidate=None, *, effect_free: bool = True, **flag) -> None:
        self.candidate = candidate or Candidate()
        self.tally = Tally()
        self.observed: list = []
        self.failed: list = []
        self.concluded: list = []
        self.manager = FlagManager.from_dict({"version": 1, "flags": {"feature": flag}})
        self.call = Dispatcher(control, self.tally, effect_free=effect_free)
        self.connect(self.failed.append)

    def connect(self, failed, concluded=None) -> None:
        concluded = concluded or (lambda *finding: self.concluded.append(finding))
        self.call.connect(self.manager.bind("feature"), current, self.candidate, self._observe, failed, concluded)

    def _observe(self, args, kwargs, timed=control):
        self.observed.append((args, kwargs))
        return timed(*args, **kwargs)

    def figures(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Calls and errors of candidate and control, as the guard has counted them."""
        found = self.manager.bind("feature").figures()
        return found[0][:2], found[1][:2]

    @property
    def served(self) -> tuple[int, int]:
        served = self.tally.reading()["served"]
        return served["python"], served["rust"]


def test_an_unconnected_dispatcher_is_the_control():
    """Before it is connected, calls go through uncounted."""
    tally = Tally()
    call = Dispatcher(control, tally, effect_free=True)

    assert "aa" == call("a", times=2)
    assert 0 == tally.reading()["served"]["python"]


def test_python_serves_without_shadow_when_the_rules_say_so():
    """At otherwise: python with nothing sampled, only the control runs."""
    seam = Seam(stage="canary", otherwise="python", shadow={"percent": 0})

    assert "aa" == seam.call("a", times=2)
    assert ((1, 0), [], 0) == (seam.served, seam.observed, seam.candidate.ran)


def test_rust_serves_when_the_rules_say_so():
    """At on, the candidate gets plan and arguments, and its answer is the caller's."""
    seam = Seam(stage="on")

    assert ("candidate", "plan", ("a",), {"times": 2}) == seam.call("a", times=2)
    assert (0, 1) == seam.served


def test_a_shadowed_call_is_observed():
    """In shadow the runner answers with the control and takes the call over."""
    seam = Seam(stage="shadow")

    assert "aa" == seam.call("a", times=2)
    assert ((1, 0), [(("a",), {"times": 2})]) == (seam.served, seam.observed)


def test_a_sampled_out_call_is_counted_and_not_observed():
    """Of a tiny share nearly every call is left out, and each of them is accounted for."""
    seam = Seam(stage="shadow", shadow={"percent": 0.0001})
    for _ in range(1_000):
        seam.call("a")
    reading = seam.tally.reading()

    assert 1_000 == reading["sampled_out"] + len(seam.observed)
    assert reading["offered"] == reading["sampled_out"]


def test_the_unit_of_the_context_decides_and_sticks():
    """The same unit is always on the same side; a missing unit is Python."""
    seam = Seam(stage="canary", otherwise={"split": {"rust": 50, "python": 50}}, shadow={"percent": 0})
    sides = {}
    for unit in [f"user-{number}" for number in range(50)] * 3:
        before = seam.served
        with context(unit=unit):
            seam.call("a")
        sides.setdefault(unit, set()).add(seam.served[1] - before[1])
    before = seam.served
    seam.call("a")

    assert {1} == {len(side) for side in sides.values()}
    assert {0, 1} == set().union(*sides.values())
    assert (before[0] + 1, before[1]) == seam.served


def test_attributes_of_the_context_are_seen_by_rules():
    """A rule about an attribute routes the call."""
    seam = Seam(stage="canary", rules=[{"name": "mini", "when": {"attr": "model", "equals": "mini"}, "serve": "rust"}])
    with context(attributes={"model": "mini"}):
        answer = seam.call("a")

    assert "candidate" == answer[0]


def test_a_declined_call_is_answered_by_python():
    """The decline is counted with its reason, and the caller does not notice."""
    seam = Seam(Candidate(Declined("too_odd")), stage="on")

    assert "a" == seam.call("a")
    assert ((1, 0), {"too_odd": 1}) == (seam.served, seam.tally.reading()["declined"])


def test_a_failing_candidate_of_an_effect_free_seam_is_answered_by_python():
    """The failure is counted and reported by its class name alone."""
    seam = Seam(Candidate(LookupError("secret")), stage="on")

    assert "a" == seam.call("a")
    assert ((1, 0), ["LookupError"], {"LookupError": 1}) == (seam.served, seam.failed, seam.tally.reading()["failed"])


def test_a_failing_candidate_with_effects_is_not_retried():
    """A failure after effects began is the caller's to know, and its answer."""
    seam = Seam(Candidate(LookupError("gone")), effect_free=False, stage="on")

    with pytest.raises(LookupError, match="gone"):
        seam.call("a")

    assert ((0, 1), {}) == (seam.served, seam.tally.reading()["failed"])


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_the_programs_own_signals_pass_through(interrupt):
    """An interrupt while the candidate serves belongs to the program, and is counted: nobody has answered the call."""
    seam = Seam(Candidate(interrupt()), stage="on")

    with pytest.raises(interrupt):
        seam.call("a")

    assert {interrupt.__name__: 1} == seam.tally.reading()["failed"]


@pytest.mark.parametrize("part", ["prepare", "run"])
def test_what_a_signals_handler_raises_while_a_candidate_works_is_the_programs(late, part):
    """Its time limit would be lost if Python answered; it is counted, and no failure of the candidate's is told."""
    candidate, told = Candidate("other"), []
    setattr(candidate, part, late)
    seam = Seam(candidate, stage="on")
    seam.connect(told.append)

    with pytest.raises(late.error):
        seam.call("a")

    assert ({"LateError": 1}, []) == (seam.tally.reading()["failed"], told)


def test_what_a_signals_handler_raises_while_somebody_listens_is_the_programs(late):
    """As an interrupt is."""
    seam = Seam(Candidate(LookupError()), stage="on")
    seam.connect(late)

    with pytest.raises(late.error):
        seam.call("a")


def test_the_controls_exception_is_the_same_object():
    """What the control raises reaches the caller untouched."""
    error = LookupError("mine")

    def raising():
        raise error

    call = Dispatcher(raising, Tally(), effect_free=True)
    with pytest.raises(LookupError) as caught:
        call()

    assert error is caught.value


def test_disconnecting_makes_it_the_control_again():
    """Who still holds the dispatcher after uninstalling gets the original behaviour, uncounted."""
    seam = Seam(stage="on")
    seam.call.disconnect()

    assert "a" == seam.call("a")
    assert (0, 0) == seam.served


def test_it_looks_like_the_function_it_replaces():
    """Whoever looks at it sees the control: what it is, what it is made of, and what it has not."""
    call = Seam(stage="on").call

    assert ("control", "Repeats a text.") == (call.__name__, call.__doc__)
    assert "Repeats a text." == pydoc.getdoc(call)
    assert inspect.signature(control) == inspect.signature(call)
    assert inspect.isfunction(call)
    assert (control.__code__, control.__globals__, vars(control)) == (call.__code__, call.__globals__, vars(call))
    assert (dir(control), inspect.getfile(control)) == (dir(call), inspect.getfile(call))
    with pytest.raises(AttributeError, match="'function' object has no attribute 'absent'"):
        _ = call.absent


def test_a_coroutine_function_is_one_behind_whatever_holds_it():
    """As a bound method and as a partial function."""

    async def awaited(value):
        return value

    call = Dispatcher(awaited, Tally(), effect_free=True, awaited=True)

    assert inspect.iscoroutinefunction(call.__get__(object()))
    assert inspect.iscoroutinefunction(functools.partial(call, 1))


def test_what_is_attached_to_it_is_attached_to_the_function():
    """It stays there when the original is put back."""

    def function(value):
        return value

    call = Dispatcher(function, Tally(), effect_free=True)
    call.label = "kept"

    assert {"label": "kept"} == vars(function) == vars(call)
    del call.label
    assert {} == vars(function)


@pytest.mark.parametrize(
    ("name", "value"), [("__code__", (lambda value: "other").__code__), ("__defaults__", ("other",))]
)
def test_a_function_that_was_given_other_code_or_defaults_answers_itself(name, value):
    """The candidate equals the function that stood there, not the one somebody has made of it."""

    def function(value="own"):
        return value

    seam = Seam(stage="on")
    seam.call = Dispatcher(function, seam.tally, effect_free=True)
    seam.connect(seam.failed.append)
    setattr(seam.call, name, value)
    arguments = ("own",) if name == "__code__" else ()

    assert "other" == seam.call(*arguments)
    seam.connect(seam.failed.append)
    assert "other" == seam.call(*arguments)


def test_it_is_pickled_and_copied_by_reference(monkeypatch):
    """As a function at its place in a module, it survives pickling and copying as itself."""
    call = Seam(stage="on").call
    monkeypatch.setitem(control.__globals__, "control", call)
    monkeypatch.setitem(
        __import__("sys").modules, control.__module__, inspect.getmodule(control) or __import__(__name__)
    )

    assert call is copy.deepcopy(call)
    assert call is copy.copy(call)


def test_where_the_control_keeps_its_name_the_name_is_pickled():
    """What comes out of the pickle is what stands under that name."""
    call = Dispatcher(control, Tally(), effect_free=True, apart=True)

    assert control is pickle.loads(pickle.dumps(call))
    assert call is copy.copy(call) is copy.deepcopy(call)


def test_in_a_class_it_is_a_method():
    """Standing in a class it binds the instance, as a function does."""

    class Holder:
        method = Dispatcher(lambda self, value: (self, value), Tally(), effect_free=True)

    holder = Holder()

    assert (holder, 7) == holder.method(7)
    assert inspect.ismethod(holder.method)


METHOD_DESCRIPTOR = 1 << 17
"""`Py_TPFLAGS_METHOD_DESCRIPTOR`: calls through an instance make no bound method."""


def test_a_method_call_makes_no_bound_method():
    """CPython calls it with the instance first, as it calls a function; what that promises is kept."""

    class Holder:
        method = Dispatcher(lambda *args, **kwargs: (args, kwargs), Tally(), effect_free=True)

    holder, found = Holder(), vars(Holder)["method"]
    bound = type(found).__get__(found, holder, Holder)

    assert Dispatcher.__flags__ & METHOD_DESCRIPTOR
    assert ((holder, 1), {"two": 2}) == holder.method(1, two=2) == bound(1, two=2) == found(holder, 1, two=2)
    assert ((1,), {}) == Holder.method(1)
    holder.method = found
    assert ((1,), {}) == holder.method(1)


def test_a_routed_method_gets_its_instance():
    """Candidate and control alike."""
    seam = Seam(stage="on")
    holder = type("Holder", (), {"method": seam.call})()

    assert ("candidate", "plan", (holder, "a"), {"times": 2}) == holder.method("a", times=2)


def test_pickle_round_trip_of_a_function_in_a_module():
    """`pickle` stores the qualified name only."""
    call = Seam(stage="on").call

    assert "control" == call.__reduce__()
    assert b"control" in pickle.dumps(call.__qualname__)


GUARD = {"min_calls": 50, "error_rate": {"max_over_python": "0.5%"}, "on_breach": {"scope": "process"}}


def interrupted(*_news):
    raise KeyboardInterrupt


@pytest.mark.parametrize("error", [OSError("disk full"), RecursionError()])
def test_a_listener_that_fails_is_counted_and_reaches_no_caller(error):
    """Logging that raises while a candidate fails or a guard trips is not the caller's to know."""

    def deaf(*_news):
        raise error

    seam = Seam(Candidate(LookupError()), stage="on", guard=GUARD)
    seam.connect(deaf, deaf)

    assert ["a"] * 64 == [seam.call("a") for _ in range(64)]
    assert {"LookupError": 64, "listener_failed": 65} == seam.tally.reading()["failed"]


def test_an_interrupt_of_a_listener_is_the_programs():
    """Ctrl-C during logging still ends the program."""
    seam = Seam(Candidate(LookupError()), stage="on")
    seam.connect(interrupted)

    with pytest.raises(KeyboardInterrupt):
        seam.call("a")


def test_a_guarded_seam_counts_both_sides():
    """Calls of the control, observed or not, and of the candidate end in one window; declined ones are nobody's."""
    halves = {"split": {"rust": 50, "python": 50}}
    seam = Seam(stage="canary", otherwise=halves, shadow={"percent": 50}, guard=GUARD)
    for number in range(200):
        with context(unit=f"user-{number}"):
            seam.call("a")
    python, rust = seam.served
    seam.candidate.error = Declined("too_odd")
    for number in range(50):
        with context(unit=f"user-{number}"):
            seam.call("a")
    declined = seam.tally.reading()["declined"]["too_odd"]

    assert 0 < len(seam.observed) < seam.served[0]
    assert (rust, 0) == seam.figures()[0]
    assert (python + 50 - declined, 0) == seam.figures()[1]


def test_a_candidate_that_fails_where_the_control_answers_is_reported_once():
    """At on there are no calls of the control's own; what it does in the candidate's place decides."""
    seam = Seam(Candidate(LookupError()), stage="on", guard=GUARD)
    for _ in range(64):
        seam.call("a")
    event, hold_ms, retry, scope, candidate, stand_in = seam.concluded[0]

    assert 1 == len(seam.concluded)
    assert ("guard_tripped:error_rate", 300_000, 10_000, "process") == (event, hold_ms, retry, scope)
    assert ((64, 64), (64, 0)) == (candidate[:2], stand_in[:2])


def test_a_candidate_that_raises_what_the_control_raises_is_not_reported():
    """It is counted as failed, as ever, and the guard concludes nothing."""
    seam = Seam(Candidate(TypeError()), stage="on", guard=GUARD)
    for _ in range(500):
        with pytest.raises(TypeError):
            seam.call("a", times="no number")

    assert ([], {"TypeError": 500}) == (seam.concluded, seam.tally.reading()["failed"])


def test_a_failing_candidate_with_effects_is_judged_too():
    """The caller gets its exception; the guard counts it."""
    seam = Seam(Candidate(LookupError()), effect_free=False, stage="on", guard=GUARD)
    for _ in range(64):
        with pytest.raises(LookupError):
            seam.call("a")

    assert ["guard_tripped:error_rate"] == [finding[0] for finding in seam.concluded]


def test_signals_and_shadow_are_not_judged():
    """An interrupted call is nobody's failure, and in shadow the candidate serves nobody."""
    interrupted_seam = Seam(Candidate(KeyboardInterrupt()), stage="on", guard=GUARD)
    with pytest.raises(KeyboardInterrupt):
        interrupted_seam.call("a")
    shadow = Seam(stage="shadow", guard=GUARD)
    shadow.call("a")

    assert ((0, 0), (0, 0)) == interrupted_seam.figures() == shadow.figures()


def test_it_can_be_referred_to_weakly():
    """As a function can."""
    call = Dispatcher(control, Tally(), effect_free=True)

    assert call is weakref.ref(call)()


def test_the_rules_of_another_manager_take_over_and_the_first_ones_come_back():
    """Whichever manager a dispatcher was connected to first, the one it is connected to now decides."""
    seam = Seam(otherwise="rust")
    other = FlagManager.from_dict({"version": 1, "flags": {"feature": {"otherwise": "python"}}})
    listeners = (current, seam.candidate, seam._observe, seam.failed.append)

    served = []
    for manager in (seam.manager, other, seam.manager, None, other):
        if manager is None:
            seam.call.disconnect()
        else:
            seam.call.connect(manager.bind("feature"), *listeners)
        seam.call("a")
        served.append(seam.served)

    assert [(0, 1), (1, 1), (1, 2), (1, 2), (2, 2)] == served


def test_a_context_of_another_variable_is_asked():
    """A connection's own variable says whose call it is, also where flag and manager are those of the first."""
    seam = Seam(rules=[{"name": "one", "when": {"attr": "id", "equals": 1}, "serve": "rust"}])
    other: ContextVar = ContextVar("other", default=(None, {"id": 1}))
    seam.call("a")
    seam.call.connect(seam.manager.bind("feature"), other, seam.candidate, seam._observe, seam.failed.append)
    seam.call("a")

    assert (1, 1) == seam.served


def test_a_pause_by_another_process_holds_from_the_next_call(tmp_path):
    """The dispatcher asks the same decisions as everybody; a second manager stands for the sibling."""
    rules = tmp_path / "on.yaml"
    rules.write_text("version: 1\nflags: {feature: {otherwise: rust}}\n")
    seam = Seam(otherwise="rust")
    handle = FlagManager.from_file(rules).bind("feature")
    seam.call.connect(handle, current, seam.candidate, seam._observe, seam.failed.append)
    sibling = FlagManager.from_file(rules)

    seam.call("a")
    sibling.pause("feature")
    assert "aa" == seam.call("a", times=2)
    sibling.resume("feature")
    seam.call("a")

    assert ((1, 2), 2) == (seam.served, seam.candidate.ran)
