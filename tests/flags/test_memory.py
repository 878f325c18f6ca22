"""What a thousand flags add to a process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TWO_MEBIBYTES = 2048
FLAG = """\
  flag_{number}:
    owner: team-{number}
    expires: 2027-12-31
    rules:
      - {{name: staff, when: {{attr: user, ends_with: "@example.com"}}, serve: rust}}
      - {{name: beta, when: {{segment: beta}}, split: {{rust: 10, python: 90}}}}
    otherwise: {{split: {{rust: 5, python: 95}}}}
"""

PROGRAM = """
    import ctypes, gc, sys
    from fast_litellm.flags import FlagManager

    def resident():
        gc.collect()
        if hasattr(ctypes.CDLL(None), "malloc_trim"):
            ctypes.CDLL(None).malloc_trim(0)
        line = next(line for line in open("/proc/self/smaps_rollup") if line.startswith("Rss:"))
        return int(line.split()[1])

    managers = [FlagManager.from_file(sys.argv[1], scope="process")]
    before = resident()
    managers += [FlagManager.from_file(sys.argv[1], scope="process") for _ in range(4)]
    added = resident() - before
    print(len(managers[-1].cell.stages()), added // 4)
"""


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="only Linux tells what is resident")
def test_a_thousand_flags_keep_at_most_two_mebibytes(tmp_path):
    """Two rules each; what reading took for a moment is not counted, and the mean of four loads evens pages out."""
    path = tmp_path / "rules.yaml"
    head = "version: 1\nsegments: {beta: {attr: team, in: [a, b]}}\nflags:\n"
    path.write_text(head + "".join(FLAG.format(number=number) for number in range(1000)))
    program = "\n".join(line[4:] for line in PROGRAM.splitlines())
    ran = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, timeout=60, check=True
    )
    flags, added = map(int, ran.stdout.split()[-2:])

    assert 1000 == flags
    assert 512 < added <= TWO_MEBIBYTES, added
