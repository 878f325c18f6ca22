"""Rule files that cannot be read."""

from __future__ import annotations

import hashlib
import os
import stat

import pytest

from fast_litellm.errors import RuleError
from fast_litellm.flags import sources
from fast_litellm.flags.sources import SIZE_LIMIT, FileSource

from .conftest import HALF, TENTH


def _problem(path) -> str:
    with pytest.raises(RuleError) as raised:
        FileSource(path).load()
    (problem,) = raised.value.problems
    return problem.message


def test_a_missing_file_is_one_problem(tmp_path):
    """It says that there is none."""
    assert "expected a rule file, got none at this path" == _problem(tmp_path / "none.yaml")


def test_a_directory_is_one_problem(tmp_path):
    """It says that it is no file."""
    assert "expected a file, got something else" == _problem(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_not_waited_for(tmp_path):
    """A pipe without a writer is refused at once."""
    os.mkfifo(tmp_path / "pipe")

    assert "expected a file, got something else" == _problem(tmp_path / "pipe")


def test_a_huge_file_is_refused_unread(tmp_path):
    """A sparse gigabyte is one problem."""
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(1 << 30)

    assert f"expected at most {SIZE_LIMIT} bytes, got more" == _problem(path)


def test_an_unreadable_file_is_one_problem(rules, monkeypatch):
    """The system's reason is passed on."""

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(sources, "open", refuse, raising=False)

    assert "expected a readable file, got: Permission denied" == _problem(rules)


def test_a_file_that_changes_while_it_is_read_is_read_again(rules, monkeypatch):
    """What is loaded is one state of the file, never half of one and half of another."""
    reads = []

    def read(source, original=FileSource._read):
        data = original(source)
        reads.append(data)
        if len(reads) == 1:
            rules.write_text(HALF + "# longer\n")
        return data

    monkeypatch.setattr(FileSource, "_read", read)
    loaded, _ = FileSource(rules).load()

    assert [TENTH.encode(), HALF.encode() + b"# longer\n"] == reads
    assert hashlib.sha256(reads[1]).hexdigest()[:12] == loaded.revision


def test_a_file_that_never_rests_is_one_problem(rules, monkeypatch):
    """It is given up on after a few attempts."""
    states = iter(range(1000))
    monkeypatch.setattr(FileSource, "signature", lambda _: (next(states),) * 5)

    assert "expected a file at rest, got one that changes while it is read" == _problem(rules)


def test_a_relative_path_survives_a_change_of_directory(rules, tmp_path, monkeypatch):
    """The file is the one meant when the manager was made."""
    monkeypatch.chdir(tmp_path)
    source = FileSource("rollout.yaml")
    monkeypatch.chdir("/")

    assert stat.S_ISREG(rules.stat().st_mode)
    assert rules.stat().st_ino == source.signature()[1]
