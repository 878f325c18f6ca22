"""Where a measurement was made: without it, a number in nanoseconds means nothing."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("fast-litellm", "litellm", "tiktoken")
_CPUINFO = Path("/proc/cpuinfo")


def describe() -> dict[str, str]:
    """
    Returns:
        Processor, cores, load, system, Python and package versions, each as text.
    """
    versions = {package: _version(package) for package in _PACKAGES}
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count() or "unknown"),
        "load": _load(),
        "system": platform.platform(terse=True),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        **versions,
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    # platform.processor() is empty or only the architecture on most Linux systems.
    try:
        lines = _CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _load() -> str:
    try:
        return f"{os.getloadavg()[0]:.1f}"
    except (AttributeError, OSError):  # Windows has no load average
        return "unknown"
