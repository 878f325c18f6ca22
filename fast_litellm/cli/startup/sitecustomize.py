"""
Start-up file of `fast-litellm run`: Python imports it first because `run` puts this folder first on PYTHONPATH.

It installs the acceleration, then runs the `sitecustomize` it hides, if the environment has one. A program never fails
to start because of it: what went wrong is said on standard error and LiteLLM's own code answers.
"""

# ruff: noqa: INP001 - no package, because Python imports it by this name; imports are what may fail here

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import PathFinder
from pathlib import Path


def _install() -> None:
    try:
        from fast_litellm.accel.startup import install_or_say_why
    except ImportError as error:
        sys.stderr.write(f"fast-litellm: not installed for {sys.executable}, nothing is accelerated: {error}\n")
    else:
        install_or_say_why()


def _run_hidden() -> None:
    here = Path(__file__).resolve().parent
    others = [entry for entry in sys.path if Path(entry or ".").resolve() != here]
    specification = PathFinder.find_spec("sitecustomize", others)
    if specification is None or specification.loader is None:
        return
    module = importlib.util.module_from_spec(specification)
    sys.modules["sitecustomize"] = module
    specification.loader.exec_module(module)


_install()
_run_hidden()
