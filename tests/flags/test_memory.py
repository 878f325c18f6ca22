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
    import sys
    from pathlib import Path
    from fast_litellm.flags import FlagManager

    def resident():
        line = next(line for line in open("/proc/self/smaps_rollup") if line.startswith("Rss:"))
        return int(line.split()[1])

    small = FlagManager.from_file(sys.argv[1])
    small.decide("flag_0", unit="u", attributes={"user": "a", "team": "a"})
    before = resident()
    large = FlagManager.from_file(sys.argv[2])
    added = resident() - before
    print(len(large.cell.stages()), added)
"""


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="only Linux tells what is resident")
def test_a_thousand_flags_add_at_most_two_mebibytes(tmp_path):
    """Two rules each, beyond what the first flag of the same kind takes."""
    head = "version: 1\nsegments: {beta: {attr: team, in: [a, b]}}\nflags:\n"
    files = []
    for count in (1, 1000):
        files.append(tmp_path / f"{count}.yaml")
        files[-1].write_text(head + "".join(FLAG.format(number=number) for number in range(count)))
    program = "\n".join(line[4:] for line in PROGRAM.splitlines())
    added = [_added(program, *files) for _ in range(3)]

    assert min(added) <= TWO_MEBIBYTES  # what the allocator keeps beside it differs from run to run


def _added(program, *files):
    ran = subprocess.run(
        [sys.executable, "-c", program, *map(str, files)], capture_output=True, text=True, timeout=60, check=True
    )
    flags, added = map(int, ran.stdout.split()[-2:])
    assert 1000 == flags
    return added
