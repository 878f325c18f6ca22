"""What the documents show is run, so that it stays true."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fast_litellm.flags import FlagManager

if TYPE_CHECKING:
    from collections.abc import Iterator

DEADLINE_S = 240
ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [README, *(path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md")))]
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def blocks(language: str) -> list[str]:
    """The fenced blocks of one language, of the README and of every page of documentation."""
    return [block for page in PAGES for spoken, block in _FENCE.findall(page) if spoken == language]


@pytest.mark.parametrize("block", blocks("python"))
def test_python_blocks_run_as_written(block, tmp_path):
    """In a directory that has the example rule file, each block runs to its end."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    result = subprocess.run(
        [sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )

    assert (0, "") == (result.returncode, result.stderr)


@pytest.mark.parametrize("block", blocks("yaml"))
def test_yaml_blocks_are_rules(block, tmp_path):
    """Each block is a rule file without a problem."""
    path = tmp_path / "rollout.yaml"
    path.write_text(block, encoding="utf-8")

    assert [] == FlagManager.from_file(path).status()["problems"]


@pytest.mark.parametrize("line", re.findall(r"^\$ fast-litellm (\w+)", README, flags=re.MULTILINE))
def test_commands_exist(line):
    """Every command the README shows has a help page."""
    command = shutil.which("fast-litellm", path=str(Path(sys.executable).parent))
    result = subprocess.run(
        [str(command), line, "--help"], capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )

    assert (0, True) == (result.returncode, result.stdout.startswith("Usage: fast-litellm"))


@pytest.mark.timeout(660)
def test_the_tutorial_runs_from_its_first_line_to_its_last(tmp_path):
    """Files are written where the page shows them; every command prints what it shows and ends as it says."""
    page = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    result = subprocess.run(
        ["bash", "-c", "set -u\n" + "\n".join(_steps(page))],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )

    shown = "\n".join(block for language, block in _FENCE.findall(page) if language == "text")
    missing = [line for line in shown.splitlines() if line.strip() not in result.stdout]
    assert (0, []) == (result.returncode, missing), result.stderr


def _steps(page: str) -> Iterator[str]:
    """The page as lines of a shell: a block that begins with `# NAME` is that file, `$ ...` is a command."""
    for language, block in _FENCE.findall(page):
        if language in {"python", "yaml"}:
            yield f"cat > {block.split()[1]} <<'END'\n{block}END"
        for line in re.findall(r"^\$ (.*)$", block, flags=re.MULTILINE) if language == "console" else ():
            expected = re.search(r"exit status (\d)", line)
            yield f"{line}\n[ $? = {expected[1] if expected else 0} ] || exit 1"


def test_every_example_rule_file_is_valid():
    """The files in config/ are used as they are."""
    for path in [ROOT / "config" / "rollout.yaml", *(ROOT / "config").glob("examples/*.yaml")]:
        assert [] == FlagManager.from_file(path).status()["problems"]


def test_the_three_rooms_are_linked_at_the_root():
    """The links are the map of the system."""
    targets = {name: (ROOT / name).resolve() for name in ("flags", "accel", "shadow")}

    assert {name: ROOT / "fast_litellm" / name for name in targets} == targets
