"""What the documents show is run, so that it stays true."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fast_litellm.flags import FlagManager

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [README, *(path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md")))]


def blocks(language: str) -> list[str]:
    """The fenced blocks of one language, of the README and of every page of documentation."""
    fence = re.compile(rf"^```{language}\n(.*?)^```", re.DOTALL | re.MULTILINE)
    return [block for page in PAGES for block in fence.findall(page)]


@pytest.mark.parametrize("block", blocks("python"))
def test_python_blocks_run_as_written(block, tmp_path):
    """In a directory that has the example rule file, each block runs to its end."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    result = subprocess.run(
        [sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False
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
    result = subprocess.run([str(command), line, "--help"], capture_output=True, text=True, timeout=60, check=False)

    assert (0, True) == (result.returncode, result.stdout.startswith("Usage: fast-litellm"))


def test_every_example_rule_file_is_valid():
    """The files in config/ are used as they are."""
    for path in [ROOT / "config" / "rollout.yaml", *(ROOT / "config").glob("examples/*.yaml")]:
        assert [] == FlagManager.from_file(path).status()["problems"]


def test_the_three_rooms_are_linked_at_the_root():
    """The links are the map of the system."""
    targets = {name: (ROOT / name).resolve() for name in ("flags", "accel", "shadow")}

    assert {name: ROOT / "fast_litellm" / name for name in targets} == targets
