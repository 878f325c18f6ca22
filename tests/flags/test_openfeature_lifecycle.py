"""
The life of the provider, and of the package without the extras it needs.

Numbers in brackets are requirements of https://openfeature.dev/specification.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.provider import ProviderStatus

from fast_litellm.flags import FlagManager
from fast_litellm.flags.openfeature import FastLitellmProvider


@pytest.fixture
def manager():
    """A manager of one flag."""
    return FlagManager.from_dict({"version": 1, "flags": {"served": {"otherwise": "rust"}}})


def test_before_initialization_and_after_shutdown_defaults_are_returned(manager):
    """PROVIDER_NOT_READY (2.4.1, 2.5.2); a provider can be initialized again."""
    provider = FastLitellmProvider(manager)
    codes = [provider.resolve_boolean_details("served", False).error_code]
    for step in (provider.initialize, lambda _: provider.shutdown(), provider.initialize):
        step(EvaluationContext())
        codes.append(provider.resolve_boolean_details("served", False).error_code)

    assert [ErrorCode.PROVIDER_NOT_READY, None, ErrorCode.PROVIDER_NOT_READY, None] == codes


def test_the_client_knows_the_status(manager):
    """READY once initialized; the API's shutdown reaches the provider (1.6.1, 2.5.1)."""
    provider = FastLitellmProvider(manager)
    api.set_provider_and_wait(provider, "life")
    client = api.get_client("life")
    assert (ProviderStatus.READY, "fast-litellm") == (client.get_provider_status(), provider.get_metadata().name)
    api.shutdown()

    assert ErrorCode.PROVIDER_NOT_READY == provider.resolve_boolean_details("served", False).error_code


@pytest.mark.parametrize("watched_before", [True, False])
def test_the_file_is_watched_while_the_provider_is_in_use(rules, watched_before):
    """What was watched before goes on being watched afterwards."""
    manager = FlagManager.from_file(rules)
    if watched_before:
        manager.watch()
    provider = FastLitellmProvider(manager)
    provider.initialize(EvaluationContext())
    while_in_use = manager.status()["watching"]
    provider.shutdown()

    assert (True, watched_before) == (while_in_use is not None, manager.status()["watching"] is not None)
    manager.close()


def run(program):
    """Runs a program in a process of its own and returns what it printed."""
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    ).stdout


def test_the_package_does_without_the_extra():
    """Nothing of OpenFeature or OpenTelemetry is imported with the package's flags."""
    program = "import sys, fast_litellm.flags; print([m for m in ('openfeature', 'opentelemetry') if m in sys.modules])"

    assert "[]\n" == run(program)


@pytest.mark.parametrize(("module", "extra"), [("openfeature", "openfeature"), ("telemetry", "opentelemetry")])
def test_a_missing_extra_says_how_to_get_it(module, extra):
    """The error is an ImportError, and names the extra."""
    program = f"""
import sys
sys.modules["{extra}"] = None
try:
    import fast_litellm.flags.{module}
except ImportError as error:
    print(type(error).__name__, error)
"""

    assert (
        f"MissingExtraError fast_litellm.flags.{module} needs packages that are not installed\n"
        f"    hint: pip install 'fast-litellm[{extra}]'\n"
    ) == run(program)
