"""The environment, validated in one place."""

from __future__ import annotations

import math

import pytest
import structlog.testing

from fast_litellm import events, settings
from fast_litellm.errors import RuleError


def test_an_empty_environment_has_defaults(monkeypatch):
    """Nothing set means no rule file, a ledger in the user's state directory, and nothing disabled."""
    monkeypatch.delenv("FAST_LITELLM_LEDGER")
    found = settings.read()

    assert (None, False, {}) == (found.config, found.disable, found.flag_overrides)
    assert found.ledger.startswith("sqlite:///")
    assert found.ledger.endswith("fast-litellm/ledger.db")


def test_every_flag_can_be_overridden(monkeypatch):
    """The flag's name follows the prefix, in any case."""
    monkeypatch.setenv("FAST_LITELLM_FLAG_TOKEN_COUNTING", "10%")

    assert {"token_counting": "10%"} == settings.read().flag_overrides


def test_an_empty_variable_is_an_unset_one(monkeypatch):
    """A deployment template that leaves a value empty changes nothing."""
    monkeypatch.setenv("FAST_LITELLM_DISABLE", "")
    monkeypatch.setenv("FAST_LITELLM_CONFIG", "")

    assert (None, False) == (settings.read().config, settings.read().disable)


def test_a_value_that_cannot_be_used_names_its_variable(monkeypatch):
    """The error says which variable, what was expected, and what to do."""
    monkeypatch.setenv("FAST_LITELLM_DISABLE", "perhaps")

    with pytest.raises(RuleError, match=r'FAST_LITELLM_DISABLE: expected 1 or 0, got "perhaps"'):
        settings.read()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CAPTURE", "gross", "expected FAST_LITELLM_CAPTURE_KEY and FAST_LITELLM_CAPTURE_UNTIL beside it"),
        ("CAPTURE_MOST", "5000", 'expected a whole number from 1 to 1000, got "5000"'),
        ("LEASE", "1", 'expected a number of seconds from 2 on, or none, got "1"'),
        ("LEASE", "never", 'expected a number of seconds from 2 on, or none, got "never"'),
        ("LEASE", "nan", 'expected a number of seconds from 2 on, or none, got "nan"'),
        ("CAPTURE_UNTIL", "x", 'expected a moment with its offset from UTC, such as 2026-12-01T18:00:00Z, got "x"'),
    ],
)
def test_what_was_expected_is_said_in_our_words(monkeypatch, name, value, said):
    """A reader need not know what validates it."""
    monkeypatch.setenv(f"FAST_LITELLM_{name}", value)

    with pytest.raises(RuleError) as refused:
        settings.read()
    (problem,) = refused.value.problems
    assert f"FAST_LITELLM_{name}: {said}" == problem.message


@pytest.mark.parametrize(
    ("ledger", "lease", "seconds"),
    [
        ("", "", math.inf),
        ("sqlite:////var/lib/ledger.db", "", math.inf),
        ("postgresql://host/evidence", "", 2.0),
        ("postgresql://host/evidence", "none", math.inf),
        ("postgresql://host/evidence", "30", 30.0),
        ("sqlite:////var/lib/ledger.db", "2.5", 2.5),
    ],
)
def test_candidates_have_a_lease_where_hosts_share_a_ledger(monkeypatch, ledger, lease, seconds):
    """The processes of one host share what is stopped in memory; whoever wants a lease there says so."""
    monkeypatch.setenv("FAST_LITELLM_LEDGER", ledger)
    monkeypatch.setenv("FAST_LITELLM_LEASE", lease)

    assert seconds == settings.read().lease_seconds


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("sqlite:////var/lib/a@b.db", "sqlite:////var/lib/a@b.db"),
        ("postgresql://host/evidence", "postgresql://host/evidence"),
        ("postgresql://ada:s3/c@r3t@host:5432/evidence", "postgresql://host:5432/evidence"),
        ("postgresql://host/evidence?password=s3cr3t&user=ada", "postgresql://host/evidence"),
        ("postgresql://host/evidence?PASSWORD=s3cr3t", "postgresql://host/evidence"),
        ("postgresql://ada:s3\ncr3t@host/evidence", "postgresql://host/evidence"),
        ("postgresql://ada:s3@cr3t@host/evidence", "postgresql://host/evidence"),
        ("postgresql://ada:s3?cr3t@host", "postgresql://host"),
        ("postgresql://one:5432,two:5433/evidence", "postgresql://one:5432,two:5433/evidence"),
        ("postgresql://ada:s3cr3t@[::1]:5432/evidence", "postgresql://[::1]:5432/evidence"),
        ("postgresql://ada:s3cr3t@/evidence?host=/run/postgresql", "postgresql:///evidence"),
        ("postgresql://ada:s3cr3t", "(an address that cannot be read)"),
        ("postgres:/ada:s3cr3t@host/evidence", "(an address that cannot be read)"),
        ("sqlite://ada:s3cr3t@host/x", "sqlite://host/x"),
    ],
)
def test_a_password_is_never_shown(monkeypatch, address, shown):
    """The ledger's address is printed by many commands."""
    monkeypatch.setenv("FAST_LITELLM_LEDGER", address)
    found = settings.read()

    assert (True, address, shown) == (found.is_ledger_named, found.ledger, found.ledger_shown)


@pytest.mark.parametrize(
    ("value", "word"), [("true", "rust"), ("disabled", "python"), ("canary:10", "10%"), ("shadow", "shadow")]
)
def test_the_earlier_projects_variables_are_understood_with_a_warning(monkeypatch, value, word):
    """They are aliases, and one event names them."""
    monkeypatch.setenv("LITELLM_RUST_RUST_TOKEN_COUNTING", value)
    with structlog.testing.capture_logs() as logs:
        found = settings.read()

    assert {"token_counting": word} == found.flag_overrides
    assert [events.ENVIRONMENT_ALIAS_USED] == [entry["event"] for entry in logs]


def test_the_own_variable_wins_over_its_alias(monkeypatch):
    """Where both are set, the deprecated one is ignored."""
    monkeypatch.setenv("LITELLM_RUST_RUST_TOKEN_COUNTING", "true")
    monkeypatch.setenv("FAST_LITELLM_FLAG_TOKEN_COUNTING", "python")

    assert {"token_counting": "python"} == settings.read().flag_overrides


def test_the_earlier_kill_switch_disables(monkeypatch):
    """LITELLM_RUST_DISABLE_ALL=true is heard."""
    monkeypatch.setenv("LITELLM_RUST_DISABLE_ALL", "true")

    assert settings.read().disable


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("FAST_LITELLM_CONFG", "FAST_LITELLM_CONFIG"),
        ("FAST_LITELLM_LEDGER_URL", "FAST_LITELLM_LEDGER"),
        ("FAST_LITELLM_FLAGS_TOKEN_COUNTING", "FAST_LITELLM_FLAG_<NAME>"),
        ("FAST_LITELLM_ZZZZZZZZZZZZZZZZZZZZZ", ""),
    ],
)
def test_a_misspelt_variable_is_found(monkeypatch, name, nearest):
    """Nothing would ever read it; the one that was meant is named."""
    monkeypatch.setenv(name, "1")

    assert [(name, nearest)] == settings.unknown_names()


def test_every_variable_that_is_read_is_known(monkeypatch):
    """Those of the module's list, with any flag."""
    for name in ("CONFIG", "LEDGER", "DISABLE", "AUTO", "FLAG_TOKEN_COUNTING"):
        monkeypatch.setenv(f"FAST_LITELLM_{name}", "1")

    assert [] == settings.unknown_names()


def test_litellms_own_switch_is_not_read(monkeypatch):
    """LITELLM_RUST belongs to LiteLLM."""
    monkeypatch.setenv("LITELLM_RUST", "1")

    assert {} == settings.read().flag_overrides


def test_the_directory_of_shared_stops_is_the_one_named(monkeypatch, tmp_path):
    """A relative one is taken from the directory in force now."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAST_LITELLM_STATE", "shared")

    assert tmp_path / "shared" == settings.state_directory()


@pytest.mark.parametrize("named", [None, ""])
def test_by_default_stops_are_shared_in_memory_or_beside_the_ledger(monkeypatch, tmp_path, named):
    """Where the system has no such place in memory, the user's state directory serves; nothing is made yet."""
    if named is None:
        monkeypatch.delenv("FAST_LITELLM_STATE", raising=False)
    else:
        monkeypatch.setenv("FAST_LITELLM_STATE", named)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(settings, "_MEMORY", tmp_path)
    assert tmp_path == settings.state_directory().parent
    monkeypatch.setattr(settings, "_MEMORY", tmp_path / "absent")
    assert "fast-litellm" in settings.state_directory().parts
    assert [] == list(tmp_path.iterdir())
