"""A fleet of real processes: a promotion reaches all of them, and so does a divergence, with and without the ledger."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time

import pytest

from fast_litellm.shadow import Ledger

DEADLINE_S = 30
FLEET_S = 2.0
"""Within which every process follows the ledger."""

RULES = """
version: 1
defaults: {unit: call_id}
flags:
  doubling:
    shadow: {percent: 100, budget: 100%}
    gate:
      divergence: {rate: 2%, alpha: 10%}
      cells: {rate: 10%, alpha: 20%}
      pairs: {rate: 10%, alpha: 20%}
      timeouts: {rate: 5%, alpha: 10%}
      latency: none
      bake: 1ms
    plan: {steps: [shadow, "on"]}
"""

PROGRAM = """
import json
import sys
import threading
import time

import fast_litellm

turned = []


def fast(value):
    return value + value + bool(turned) + OFFSET


@fast_litellm.seam("doubling", candidate=fast)
def double(value):
    return value + value


def feature():
    return fast_litellm.status()["features"]["doubling"]


def calls(first, last):
    before = feature()["served"]
    right = sum(double(number) == 2 * number for number in range(int(first), int(last)))
    after = feature()["served"]
    return {"right": right, "rust": after["rust"] - before["rust"]}


def turn():
    turned.append(True)


def answers(wanted):
    pause = threading.Event()
    deadline = time.monotonic() + 30
    while feature()["stage"] != wanted and time.monotonic() < deadline:
        pause.wait(0.002)
    return {"stage": feature()["stage"], "at": time.time()}


def settle():
    pause = threading.Event()
    while feature()["in_flight"]:
        pause.wait(0.002)


fast_litellm.install()
print("null", flush=True)
for line in sys.stdin:
    name, *words = line.split()
    print(json.dumps(globals()[name](*words)), flush=True)
fast_litellm.uninstall()
"""


class Member:
    """A process of the fleet, which does what it is told."""

    def __init__(self, environment, offset):
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM.replace("OFFSET", offset)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._answer()

    def tell(self, *words):
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()

    def _answer(self):
        return json.loads(self._process.stdout.readline())

    def ask(self, *words):
        self.tell(*words)
        return self._answer()

    def comes_to(self, stage, since):
        """Seconds until it is at a stage."""
        found = self.ask("answers", stage)
        assert stage == found["stage"]
        return found["at"] - since

    def kill(self):
        self._process.kill()
        self._process.communicate(timeout=DEADLINE_S)


@pytest.fixture
def fleet(tmp_path):
    """Starts members by host: those of one share the rule file and the page, all share the ledger."""
    members = []
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("FAST_LITELLM_", "PYTHONPATH"))}

    def environment(host, **more):
        (tmp_path / host).mkdir(exist_ok=True)
        config = tmp_path / host / "rollout.yaml"
        if not config.exists():
            config.write_text(RULES)
        return {
            **clean,
            "FAST_LITELLM_CONFIG": str(config),
            "FAST_LITELLM_STATE": str(tmp_path / host / "state"),
            "FAST_LITELLM_LEDGER": f"sqlite:///{tmp_path / 'ledger.db'}",
            "XDG_RUNTIME_DIR": str(tmp_path / host),
            **more,
        }

    def start(host, offset="0", **more):
        members.append(Member(environment(host, **more), offset))
        return members[-1]

    def command(*words):
        done = subprocess.run(
            [sys.executable, "-m", "fast_litellm", *words, "--by", "ada", "--reason", "a test"],
            env=environment("one"),
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE_S,
        )
        assert 0 == done.returncode, done.stderr
        return time.time()

    start.command = command
    yield start
    for member in members:
        member.kill()


@pytest.fixture
def ledger(tmp_path):
    """What the fleet has in common."""
    opened = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", flush_seconds=None)
    yield opened
    opened.close()


def promote(fleet, ledger, **more):
    """Two processes of one host and one of another, promoted on what the first has compared."""
    members = [fleet("one", **more), fleet("one", **more), fleet("two", **more)]
    assert {"right": 500, "rust": 0} == members[0].ask("calls", 0, 500)
    deadline, pause = time.monotonic() + DEADLINE_S, threading.Event()
    while (found := ledger.evidence("doubling")) is None or found.account.compared < 500:
        assert time.monotonic() < deadline
        pause.wait(0.02)
    moved = fleet.command("promote", "doubling")
    assert all(member.comes_to("on", moved) < FLEET_S for member in members)
    return members


@pytest.fixture
def promoted(fleet, ledger):
    """A fleet in which candidates answer."""
    return promote(fleet, ledger)


def test_a_promotion_and_a_rollback_reach_every_process(fleet, promoted):
    """Within two seconds, on every host; each answers by the candidate then, and by Python again."""
    assert [{"right": 100, "rust": 100}] * 3 == [member.ask("calls", 0, 100) for member in promoted]
    moved = fleet.command("rollback", "doubling")
    assert all(member.comes_to("shadow", moved) < FLEET_S for member in promoted)
    assert [{"right": 100, "rust": 0}] * 3 == [member.ask("calls", 0, 100) for member in promoted]


def diverge(member):
    """Has the candidate of a process answer otherwise until that is found out; returns when it was blocked."""
    member.ask("turn")
    deadline = time.monotonic() + DEADLINE_S
    while True:
        member.ask("calls", 0, 20)  # one of a hundred that the candidate answers is compared
        member.ask("settle")
        if member.ask("calls", 0, 1)["rust"] == 0:
            return time.time()
        assert time.monotonic() < deadline


def test_a_divergence_stops_the_build_everywhere(fleet, promoted, ledger):
    """The host with its next decision, the others within two seconds; another build begins anew."""
    first, sibling, _ = promoted
    found = diverge(first)
    assert {"right": 50, "rust": 0} == sibling.ask("calls", 0, 50)
    assert [True] * 3 == [member.comes_to("blocked", found) < FLEET_S for member in promoted]
    assert [{"right": 50, "rust": 0}] * 3 == [member.ask("calls", 0, 50) for member in promoted]
    other_build = fleet("one", offset="int()")
    assert {"right": 50, "rust": 0} == other_build.ask("calls", 0, 50)
    other_build.ask("settle")
    assert "shadow" == other_build.ask("answers", "shadow")["stage"]
    assert ["on", "blocked"] == [row["to_state"] for row in ledger.audit()]


def lose(path):
    """Puts a directory where a database was; its users may make it anew while it is being removed."""
    while not path.is_dir():
        for suffix in ("", "-wal", "-shm"):
            path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
        with contextlib.suppress(FileExistsError):
            path.mkdir()


def test_a_divergence_stops_the_host_without_the_ledger(promoted, tmp_path):
    """The next decision of the sibling is Python's, and soon it blocks the build for itself, for good."""
    first, sibling, _ = promoted
    lose(tmp_path / "ledger.db")
    found = diverge(first)
    assert {"right": 50, "rust": 0} == sibling.ask("calls", 0, 50)
    assert sibling.comes_to("blocked", found) < FLEET_S


def test_with_a_lease_no_host_goes_on_without_the_ledger(fleet, ledger, tmp_path):
    """Python answers, in a process that starts meanwhile from the first call on, until the ledger is back."""
    members = promote(fleet, ledger, FAST_LITELLM_LEASE="2")
    lose(tmp_path / "ledger.db")
    lost = time.time()
    for member in members:  # how soon that is, test_lease says, with a clock of its own
        member.comes_to("shadow", lost)
    assert [{"right": 50, "rust": 0}] * 3 == [member.ask("calls", 0, 50) for member in members]
    (tmp_path / "three").mkdir()
    (tmp_path / "three" / "rollout.yaml").write_text('version: 1\nflags: {doubling: {stage: "on"}}\n')
    late = fleet("three", FAST_LITELLM_LEASE="2")
    assert {"right": 50, "rust": 0} == late.ask("calls", 0, 50)
    (tmp_path / "ledger.db").rmdir()
    assert "on" == late.ask("answers", "on")["stage"]
    assert {"right": 50, "rust": 50} == late.ask("calls", 0, 50)


def test_a_waiver_releases_the_build_everywhere(fleet, promoted, ledger):
    """It goes on from its first step in processes that run, and what is accepted blocks nobody again."""
    found = diverge(promoted[0])
    for member in promoted:
        member.comes_to("blocked", found)
    (known,) = ledger.divergences()
    released = fleet.command("waive", "doubling", known["fingerprint"][:8])
    assert all(member.comes_to("shadow", released) < FLEET_S for member in promoted)
    assert {"right": 50, "rust": 0} == promoted[0].ask("calls", 0, 50)
    promoted[0].ask("settle")
    assert "shadow" == promoted[0].ask("answers", "shadow")["stage"]
    assert 1 == sum(row["to_state"] == "blocked" for row in ledger.audit())
