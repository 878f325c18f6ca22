"""The file through which the processes of a host stop flags for each other."""

from __future__ import annotations

import json
import mmap
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from fast_litellm.flags import FlagManager, engine
from fast_litellm.flags.page import SharedPage, path_of, shared

DEADLINE_S = 60
WORKERS = 4
AT_ONCE = 12
DECISIONS = 10_000

SPINNING = """
    import json, mmap, sys
    from fast_litellm.flags import FlagManager

    handle = FlagManager.from_file(sys.argv[1]).bind("parser")
    with open(sys.argv[2], "r+b") as file:
        stored = mmap.mmap(file.fileno(), 1)
    before = 0
    print("ready", flush=True)
    while not stored[0]:
        before += handle() == "rust"
    after = [handle() for _ in range(int(sys.argv[3]))]
    print(json.dumps({"before": before, "after": {name: after.count(name) for name in sorted(set(after))}}))
"""

OPENING = """
    import sys
    from pathlib import Path
    import fast_litellm
    from fast_litellm.flags.page import SharedPage

    print("ready", flush=True)
    sys.stdin.readline()
    page = SharedPage(Path(sys.argv[1]))
    page.native.stand(sys.argv[2], 1)
    print(page.path.stat().st_ino)
"""


@pytest.fixture
def python():
    """Starts processes, and ends them with the test."""
    started = []

    def start(script, *arguments):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def served(tmp_path):
    """A rule file that serves the candidate to all."""
    path = tmp_path / "on.yaml"
    path.write_text("version: 1\nflags: {parser: {otherwise: rust}}\n")
    return path


@pytest.fixture
def counter(tmp_path):
    """A byte in memory that processes share."""
    path = tmp_path / "counter"
    path.write_bytes(b"\0")
    return path


def test_no_decision_after_the_store_serves_the_candidate_in_any_process(python, served, counter):
    """Four workers spin on decisions; from the store on, every decision of every one of them is Python's."""
    manager = FlagManager.from_file(served)
    workers = [python(SPINNING, served, counter, DECISIONS) for _ in range(WORKERS)]
    for worker in workers:
        assert "ready\n" == worker.stdout.readline()
    with counter.open("r+b") as file, mmap.mmap(file.fileno(), 1) as stored:
        assert "host" == manager.pause("parser")
        stored[0] = 1
        reports = [json.loads(worker.communicate(timeout=DEADLINE_S)[0]) for worker in workers]
    assert [{"python": DECISIONS}] * WORKERS == [report["after"] for report in reports]
    assert all(report["before"] > 0 for report in reports)


def test_a_process_started_later_is_stopped_from_its_first_decision(python, served, counter):
    """The page outlives whoever paused, and whoever starts does not reset it."""
    FlagManager.from_file(served).pause("parser")
    counter.write_bytes(b"\1")
    worker = python(SPINNING, served, counter, DECISIONS)
    report = json.loads(worker.communicate(timeout=DEADLINE_S)[0].splitlines()[1])
    assert {"before": 0, "after": {"python": DECISIONS}} == report


def test_processes_that_make_the_page_at_once_agree_on_it(python, tmp_path):
    """Whoever comes first makes it; nobody loses what another has stopped, and no draft stays."""
    path = tmp_path / "state" / "a.page"
    openers = [python(OPENING, path, f"flag-{number}") for number in range(AT_ONCE)]
    for opener in openers:
        opener.stdout.readline()
    for opener in openers:
        opener.stdin.write("go\n")
        opener.stdin.flush()
    inodes = {opener.communicate(timeout=DEADLINE_S)[0] for opener in openers}
    assert {f"{path.stat().st_ino}\n"} == inodes
    entries = [SharedPage(path).native.entry(f"flag-{number}") for number in range(AT_ONCE)]
    assert [(1, 1)] * AT_ONCE == [(word, times) for word, _, _, times in entries]
    assert [path] == list(path.parent.iterdir())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_shares_the_page_with_its_parent(served):
    """What either stops holds for the other."""
    manager = FlagManager.from_file(served)
    child = os.fork()
    if not child:
        manager.pause("parser")
        os._exit(0)
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert "python" == manager.serve("parser")


def test_a_page_removed_while_in_use_goes_on_and_says_so(served):
    """Processes that have it mapped keep sharing it; status tells that later ones do not."""
    manager, sibling = FlagManager.from_file(served), FlagManager.from_file(served)
    path_of(served).unlink()
    manager.pause("parser")
    later = FlagManager.from_file(served)
    assert ["python", "rust"] == [sibling.serve("parser"), later.serve("parser")]
    assert "removed" in manager.status()["stops"]["because"]
    assert {"scope": "host", "path": str(path_of(served))} == later.status()["stops"]


def test_the_page_belongs_to_the_name_of_the_rule_file(tmp_path, monkeypatch):
    """A link that is exchanged keeps its page; relative and absolute names of one file share it."""
    for version in ("one", "two"):
        (tmp_path / version).write_text("version: 1\n")
    link = tmp_path / "rules.yaml"
    link.symlink_to("one")
    before = path_of(link)
    link.unlink()
    link.symlink_to("two")
    monkeypatch.chdir(tmp_path)
    assert {before} == {path_of(link), path_of("rules.yaml")}
    assert before != path_of(tmp_path / "one")


def spoiled(path, how):
    """Makes a page, then spoils it."""
    SharedPage(path)
    how(path)
    return path


def truncate(path):
    os.truncate(path, 4096)


def overwrite(path):
    path.write_bytes(os.urandom(path.stat().st_size))


def garble_a_cell(path):
    content = bytearray(path.read_bytes())
    content[64 + 8] = 1
    path.write_bytes(content)


def empty(path):
    os.truncate(path, 0)


def open_to_all(path):
    path.chmod(0o666)


def replace_by_link(path):
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def replace_by_directory(path):
    path.unlink()
    path.mkdir()


def open_directory_to_all(path):
    path.parent.chmod(0o777)


@pytest.mark.parametrize(
    "how",
    [
        truncate,
        overwrite,
        garble_a_cell,
        empty,
        open_to_all,
        replace_by_link,
        replace_by_directory,
        open_directory_to_all,
    ],
)
def test_a_file_that_is_no_page_of_ours_is_never_believed(served, how):
    """The manager works for itself, and says why; the foreign file is left as it is."""
    path = spoiled(path_of(served), how)
    before = path.lstat()
    manager = FlagManager.from_file(served)
    assert "rust" == manager.serve("parser")
    assert "process" == manager.pause("parser")
    assert "python" == manager.serve("parser")
    stops = manager.status()["stops"]
    assert ("process", True) == (stops["scope"], len(stops["because"]) > 20)
    assert before == path.lstat()


def test_a_directory_that_cannot_be_made_leaves_each_process_alone(served, tmp_path, monkeypatch):
    """The reason names what is wrong."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FAST_LITELLM_STATE", str(tmp_path / "file" / "state"))
    page, because = shared(str(served))
    assert (None, True) == (page, because.startswith("NotADirectoryError: "))


def test_what_is_made_is_its_owners_alone(served):
    """Neither the page nor its directory can be read by others."""
    page = SharedPage(path_of(served))
    assert [0o600, 0o700] == [path.stat().st_mode & 0o777 for path in (page.path, page.path.parent)]
    assert len(engine.current().blank_page()) == page.path.stat().st_size


def test_a_full_page_leaves_the_rest_to_each_process_visibly(served):
    """A flag without a cell is stopped in this process alone, and status counts such flags."""
    page = SharedPage(path_of(served))
    assert all(page.native.stand(f"flag-{number}", 0) for number in range(4096))
    manager, sibling = FlagManager.from_file(served), FlagManager.from_file(served)
    assert "process" == manager.pause("parser")
    assert ["python", "rust"] == [manager.serve("parser"), sibling.serve("parser")]
    assert "the page is full: 1 flag(s)" in manager.status()["stops"]["because"]


def test_rules_from_memory_and_tools_share_nothing(served):
    """Looking at a rule file makes no page."""
    memory = FlagManager.from_dict({"version": 1, "flags": {"parser": {"otherwise": "rust"}}})
    tool = FlagManager.from_file(served, scope="process")
    assert ["process", "process"] == [manager.pause("parser") for manager in (memory, tool)]
    assert ["python", "python"] == [manager.serve("parser") for manager in (memory, tool)]
    assert not Path(os.environ["FAST_LITELLM_STATE"]).exists()
