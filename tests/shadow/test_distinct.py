"""Distinct inputs: digests that tell values apart, sketches that count them, and what the ledger makes of both."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_litellm.accel.native import Tally
from fast_litellm.shadow import (
    Budget,
    Experiment,
    FunctionCandidate,
    ShadowRunner,
    comparators,
    engine,
)
from fast_litellm.shadow.ledger import Ledger
from fast_litellm.shadow.observation import Epoch

KEY = bytes(range(32))
DEADLINE_S = 30
EPOCH = Epoch("feature", "build-1", "reference", "exact", "rules-1")

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec=None), max_size=5)
    | st.binary(max_size=5)
)
plain = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        | st.frozensets(scalars, max_size=3)
    ),
    max_leaves=8,
)


def digest(value, key=KEY):
    return engine.current().digest(key, value)


def typed(value):
    """Tells `1`, `True` and `1.0` apart, and `0.0` from `-0.0`, as `==` does not."""
    if isinstance(value, (list, tuple)):
        return type(value), [typed(item) for item in value]
    if isinstance(value, dict):
        return dict, {key: typed(item) for key, item in value.items()}
    if isinstance(value, frozenset):
        return frozenset, frozenset((type(item), repr(item)) for item in value)
    return type(value), math.copysign(1, value) if isinstance(value, float) else None, value


@given(plain, plain)
def test_values_have_the_same_digest_when_they_are_the_same(one, other):
    """Two plain values have one digest exactly when they are equal and of equal types all the way down."""
    assert (typed(one) == typed(other)) == (digest(one) == digest(other))
    assert 0 != digest(one)


@given(st.dictionaries(st.text(max_size=3), scalars, max_size=4))
def test_the_order_of_keys_does_not_matter(value):
    """A dict that was built in another order is the same input."""
    assert digest(value) == digest(dict(reversed(list(value.items()))))


def test_without_the_key_nobody_can_compute_a_digest():
    """Another key gives another digest; a short one is refused."""
    assert digest("prompt") != digest("prompt", bytes(32))
    with pytest.raises(ValueError, match="16 bytes"):
        digest("prompt", b"short")


def test_an_object_that_is_not_plain_is_known_by_its_type():
    """None of its own code is run."""

    class Loud:
        def __eq__(self, other):
            raise AssertionError

        def __hash__(self):
            raise AssertionError

    assert digest(Loud()) == digest(Loud()) != digest(object())


def test_a_sketch_that_is_none_is_refused():
    """Bytes of another kind are an error, not a count."""
    with pytest.raises(ValueError, match="no sketch"):
        engine.current().sketch_lower_bound(b"{}")
    assert 0 == engine.current().sketch_lower_bound(b"")


def compare(ledger, inputs):
    """Compares `abs` with itself on each input in a process's account of its own."""
    tally = Tally()
    ledger.attach(EPOCH, tally)
    experiment = Experiment("feature", abs, FunctionCandidate(abs), comparators.exact)
    runner = ShadowRunner(experiment, tally=tally, sink=ledger, budget=Budget(1))
    for number in inputs:
        assert abs(number) == runner.observe((number,), {})
    assert runner.drain(DEADLINE_S)
    runner.close()
    assert len(inputs) == tally.reading()["compared"]
    assert ledger.flush()


def open_ledger(tmp_path):
    return Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", flush_seconds=None)


def test_evidence_counts_each_input_once_over_all_processes(tmp_path):
    """Two accounts that have seen 30 and 40 inputs, 20 of them the same, have seen 50."""
    for inputs in (range(30), range(10, 50)):
        ledger = open_ledger(tmp_path)
        compare(ledger, [*inputs, *inputs])
        ledger.close()
    evidence = open_ledger(tmp_path).evidence("feature")
    assert (140, 50) == (evidence.account.matched, sum(shape.distinct for shape in evidence.shapes))


def test_an_epoch_that_is_gone_on_with_keeps_its_inputs(tmp_path):
    """Rules that are changed and changed back make two blocks of one epoch, whose sketches are merged."""
    ledger = open_ledger(tmp_path)
    compare(ledger, range(10))
    compare(ledger, range(5, 15))
    evidence = ledger.evidence("feature")
    assert (20, 15) == (evidence.account.matched, sum(shape.distinct for shape in evidence.shapes))


def test_without_the_ledgers_key_no_input_is_counted(tmp_path):
    """Digests under a passing key could not be told apart from those of other processes: no data, no promotion."""
    (tmp_path / "ledger.db.key").mkdir()  # can be neither read nor made
    ledger = open_ledger(tmp_path)
    compare(ledger, range(10))
    assert 0 == sum(shape.distinct for shape in ledger.evidence("feature").shapes)
    (tmp_path / "ledger.db.key").rmdir()
    assert ledger.flush()
    compare(ledger, range(10))
    assert 10 == sum(shape.distinct for shape in ledger.evidence("feature").shapes)
