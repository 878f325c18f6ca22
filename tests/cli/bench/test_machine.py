"""Where a measurement was made."""

from __future__ import annotations

from fast_litellm.cli.bench import machine


def test_the_machine_is_described_in_words() -> None:
    """Processor, cores, Python and the versions that decide a figure are all named."""
    described = machine.describe()

    assert {"processor", "cores", "load", "system", "python", "fast-litellm", "litellm", "tiktoken"} == set(described)
    assert all(described.values())
