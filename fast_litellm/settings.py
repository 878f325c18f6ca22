"""
Every environment variable of this package, read and validated in one place.

    FAST_LITELLM_CONFIG       path of the rule file; without it effect-free seams run in shadow, nothing is promoted
    FAST_LITELLM_LEDGER       where evidence is kept: sqlite:///PATH; by default in the user's state directory
    FAST_LITELLM_STATE        directory in which this host's processes share what is paused; by default one in memory
    FAST_LITELLM_LEASE        for how many seconds candidates may answer without word from the ledger, or none for ever;
                              2 where the ledger is in PostgreSQL, else none: a host's processes share what is stopped
    FAST_LITELLM_DISABLE      1 is the kill switch: nothing is patched, Python answers everything
    FAST_LITELLM_AUTO         1 installs while Python starts; the start-up file alone reads it
    FAST_LITELLM_CAPTURE      features whose differing calls are kept whole, sealed, with commas between them
    FAST_LITELLM_CAPTURE_KEY  the public key they are sealed to; `fast-litellm capture-key` makes one
    FAST_LITELLM_CAPTURE_UNTIL  till when, with the offset from UTC, such as 2026-12-01T18:00:00Z; at most a week ahead
    FAST_LITELLM_CAPTURE_MOST  how many of a feature the ledger may hold; 20 by default
    FAST_LITELLM_FLAG_<NAME>  python | rust | shadow | 10%: overrides one flag, whatever the rule file says

CUSTOM_TIKTOKEN_CACHE_DIR is LiteLLM's own: where tiktoken finds its vocabularies instead of LiteLLM's package.

`LITELLM_RUST` itself belongs to LiteLLM and is never read. Variables of the earlier project of this name are
understood as deprecated aliases, with one warning event naming them.
"""

from __future__ import annotations

import difflib
import math
import os
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, FrozenSet, Optional

import platformdirs
from pydantic import AwareDatetime, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from fast_litellm import events
from fast_litellm.errors import Problem, RuleError

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "FAST_LITELLM_"
FLAG_PREFIX = PREFIX + "FLAG_"
SQLITE = "sqlite:///"
"""How the address of a ledger in a file begins."""

_CAPTURE_NAMES = ("capture", "capture_key", "capture_until", "capture_most")
_NAMES = ("config", "ledger", "state", "lease", "disable", "auto", *_CAPTURE_NAMES)
_EXPECTED = {
    "lease": "a number of seconds from 2 on, or none",
    "disable": "1 or 0",
    "capture_until": "a moment with its offset from UTC, such as 2026-12-01T18:00:00Z",
    "capture_most": "a whole number from 1 to 1000",
}
_LEASE_SECONDS = 2.0
_LONGEST_CAPTURE = timedelta(days=7)
_MEMORY = Path("/dev/shm")  # noqa: S108 - a directory of the user's own is made in it

# The earlier project doubled its own prefix: its switch for token counting is LITELLM_RUST_RUST_TOKEN_COUNTING.
_ALIAS_DISABLE = "LITELLM_RUST_DISABLE_ALL"
_ALIAS_FLAG_PREFIX = "LITELLM_RUST_RUST_"
_ALIAS_WORDS = {"true": "rust", "enabled": "rust", "false": "python", "disabled": "python", "shadow": "shadow"}

_HOST = r"(?:\[[\w:.%]+\]|[\w.-]*)(?::\d+)?"
# What may be shown of an address: everything but user, password and parameters, whatever these are.
_SERVER = re.compile(rf"(\w+://)(?:.*@)?({_HOST}(?:,{_HOST})*(?:/[^?@]*)?)(?:\?.*)?", re.DOTALL)


def _default_ledger() -> str:
    return f"sqlite:///{platformdirs.user_state_path('fast-litellm') / 'ledger.db'}"


class Settings(BaseSettings):
    """
    The validated environment; unset variables keep the defaults named in the module's docstring.

    `flag_overrides` maps a flag's name in lower case to its override word, unchecked: the flags package owns those
    words.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    config: Optional[Path] = None
    ledger: str = Field(default_factory=_default_ledger)
    lease: Optional[float] = Field(None, ge=2)
    disable: bool = False
    flag_overrides: Dict[str, str] = Field(default_factory=dict)
    capture: str = ""
    capture_key: str = ""
    capture_until: Optional[AwareDatetime] = None
    capture_most: int = Field(20, ge=1, le=1_000)

    @property
    def ledger_shown(self) -> str:
        """The ledger's address as it may be printed: without user, password and parameters."""
        if self.ledger.startswith(SQLITE):
            return self.ledger
        found = _SERVER.fullmatch(self.ledger)
        return "".join(found.groups()) if found else "(an address that cannot be read)"

    @property
    def is_ledger_named(self) -> bool:
        """Whether somebody has said where the ledger is."""
        return "ledger" in self.model_fields_set

    @property
    def lease_seconds(self) -> float:
        """For how long candidates may answer without word from the ledger; infinite if for ever."""
        if self.lease is not None:
            return self.lease
        return math.inf if self.ledger.startswith(SQLITE) else _LEASE_SECONDS

    @property
    def captured_features(self) -> FrozenSet[str]:
        """The features whose differing calls are captured."""
        return frozenset(filter(None, (name.strip() for name in self.capture.split(","))))

    @field_validator("lease", mode="before")
    @classmethod
    def _read_lease(cls, value: object) -> object:
        return math.inf if value == "none" else value

    @model_validator(mode="after")
    def _check_capture(self) -> Settings:
        if not self.captured_features:
            return self
        if not self.capture_key or self.capture_until is None:
            raise ValueError("expected FAST_LITELLM_CAPTURE_KEY and FAST_LITELLM_CAPTURE_UNTIL beside it")
        if self.capture_until > datetime.now(timezone.utc) + _LONGEST_CAPTURE:
            raise ValueError("expected a FAST_LITELLM_CAPTURE_UNTIL that is at most a week ahead")
        return self


def read() -> Settings:
    """
    Read and validate the process environment.

    Returns:
        The settings.

    Raises:
        RuleError: A variable holds a value that cannot be used; every such variable is listed.
    """
    aliases = _aliases(os.environ)
    if aliases:
        events.logger("settings").warning(events.ENVIRONMENT_ALIAS_USED, variables=sorted(aliases))
    values: dict[str, object] = {"flag_overrides": _flag_overrides(os.environ)}
    if _ALIAS_DISABLE in aliases and not os.environ.get(PREFIX + "DISABLE"):
        values["disable"] = os.environ[_ALIAS_DISABLE]
    try:
        return Settings(**values)  # type: ignore[arg-type]  # pydantic validates what the environment holds
    except ValidationError as error:
        raise RuleError(tuple(_problem(details["loc"], details) for details in error.errors())) from None


def unknown_names() -> list[tuple[str, str]]:
    """
    Find variables that look like this package's and that nothing reads.

    Returns:
        Each name with the one it most resembles, or with "" when it resembles none.
    """
    known = {name.upper(): PREFIX + name.upper() for name in _NAMES}
    own = [name for name in sorted(os.environ) if name.startswith(PREFIX) and not name.startswith(FLAG_PREFIX)]
    unknown = [name for name in own if name not in known.values()]
    words = {**known, "FLAG": FLAG_PREFIX + "<NAME>"}
    nearest = [difflib.get_close_matches(name[len(PREFIX) :].partition("_")[0], words, n=1) for name in unknown]
    return [(name, words[close[0]] if close else "") for name, close in zip(unknown, nearest)]


def tiktoken_cache_directory() -> str:
    """Returns the directory LiteLLM is told to keep tiktoken's vocabularies in; empty when it is not told."""
    return os.environ.get("CUSTOM_TIKTOKEN_CACHE_DIR", "")


def state_directory() -> Path:
    """
    Returns:
        The directory in which the processes of this user on this host share what is stopped. By default it lies in
        memory where the system has such a place, else in the user's state directory; nothing is made here.
    """
    named = os.environ.get(PREFIX + "STATE")
    if named:
        return Path(named).absolute()
    if os.access(_MEMORY, os.W_OK | os.X_OK):
        return _MEMORY / f"fast-litellm-{os.geteuid()}"
    return platformdirs.user_state_path("fast-litellm") / "stops"


def user_directory() -> Path:
    """
    Returns:
        The directory in which this user's processes on this host keep what must outlive them; nothing is made here.
    """
    named = os.environ.get(PREFIX + "STATE")
    return Path(named).absolute() if named else platformdirs.user_state_path("fast-litellm")


def _aliases(environment: Mapping[str, str]) -> list[str]:
    return [name for name in environment if name == _ALIAS_DISABLE or name.startswith(_ALIAS_FLAG_PREFIX)]


def _flag_overrides(environment: Mapping[str, str]) -> dict[str, str]:
    aliases = {
        name[len(_ALIAS_FLAG_PREFIX) :].lower(): _alias_word(value)
        for name, value in environment.items()
        if name.startswith(_ALIAS_FLAG_PREFIX)
    }
    own = {
        name[len(FLAG_PREFIX) :].lower(): value for name, value in environment.items() if name.startswith(FLAG_PREFIX)
    }
    return {**aliases, **own}


def _alias_word(value: str) -> str:
    word = value.strip().lower()
    kind, _, percent = word.partition(":")
    return f"{percent}%" if kind in {"canary", "rollout"} and percent else _ALIAS_WORDS.get(word, value)


def _problem(location: tuple[int | str, ...], details: Mapping[str, Any]) -> Problem:
    """What came is said of the variables alone that hold nothing secret."""
    setting = "_".join(str(part) for part in location or ("capture",))
    name, message = PREFIX + setting.upper(), str(details["msg"]).partition("Value error, ")
    said = message[2] or message[0]
    if setting in _EXPECTED:
        said = f'expected {_EXPECTED[setting]}, got "{details["input"]}"'
    return Problem("environment", 0, 0, f"{name}: {said}", f"correct or unset {name}")
