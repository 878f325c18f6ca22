"""Rule files that cannot be read."""

from __future__ import annotations

import hashlib
import os
import stat
import time

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
    monkeypatch.setattr(FileSource, "_state", lambda _: (next(states),) * 5)

    assert "expected a file at rest, got one that changes while it is read" == _problem(rules)


def test_a_second_write_within_one_tick_is_seen(rules, monkeypatch):
    """Same size, same times: only the bytes tell, and they are asked."""
    state = (1, 2, 3, 4, time.time_ns())
    monkeypatch.setattr(FileSource, "_state", lambda _: state)
    source = FileSource(rules)
    _, loaded = source.load()
    before = source.signature()
    rules.write_text(HALF)

    assert (len(TENTH), state, state, None) == (len(HALF), loaded, before, source.signature())


def test_a_settled_file_is_read_once_more_and_never_again(rules, monkeypatch):
    """Looking every second costs the question for its state alone."""
    reads = []
    monkeypatch.setattr(sources, "_TICK", -1)
    source = FileSource(rules)
    _, loaded = source.load()
    monkeypatch.setattr(FileSource, "_read", lambda _: reads.append(1) or TENTH.encode())

    assert [loaded] * 10 == [source.signature() for _ in range(10)]
    assert [1] == reads


@pytest.fixture
def place(tmp_path):
    """A directory whose own path has no links."""
    return tmp_path.resolve()


def test_nothing_but_a_plain_file_leads_to_it(place):
    """There is nothing else to listen to."""
    assert [str(place / "rollout.yaml")] == FileSource(place / "rollout.yaml").entries()


def test_every_link_leads_to_the_file(place):
    """As in a ConfigMap: a link to a link to a directory; and a path that goes through a link of its own."""
    (place / "mounted" / "..1").mkdir(parents=True)
    (place / "mounted" / "..1" / "rollout.yaml").touch()
    (place / "mounted" / "..data").symlink_to("..1")
    (place / "mounted" / "rollout.yaml").symlink_to("..data/rollout.yaml")
    (place / "links").mkdir()
    (place / "links" / "here").symlink_to("../mounted")
    names = ["links/here", "mounted/rollout.yaml", "mounted/..data", "mounted/..1/rollout.yaml"]

    assert [str(place / it) for it in names] == FileSource(place / "links" / "here" / "rollout.yaml").entries()


def test_an_absolute_link_is_followed(place):
    """The link and what it names lead to the file."""
    (place / "a").mkdir()
    (place / "b").mkdir()
    (place / "a" / "rollout.yaml").symlink_to(place / "b" / "rollout.yaml")

    assert [str(place / it / "rollout.yaml") for it in "ab"] == FileSource(place / "a" / "rollout.yaml").entries()


def test_a_circle_of_links_ends(place):
    """It leads nowhere, and is found out."""
    (place / "a").symlink_to("b")
    (place / "b").symlink_to("a")

    assert {str(place / "a"), str(place / "b")} < set(FileSource(place / "a").entries())


def test_rules_from_memory_have_no_entries():
    """There is nothing to listen to."""
    assert () == sources.MemorySource({}).entries()


def test_a_relative_path_survives_a_change_of_directory(rules, tmp_path, monkeypatch):
    """The file is the one meant when the manager was made."""
    monkeypatch.chdir(tmp_path)
    source = FileSource("rollout.yaml")
    monkeypatch.chdir("/")

    assert stat.S_ISREG(rules.stat().st_mode)
    assert rules.stat().st_ino == source.signature()[1]
