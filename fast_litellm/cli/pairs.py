"""The pairs that `replay` and `minimise` run: LiteLLM's seams, and those that a program's modules declare."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from fast_litellm.accel.replaying import Place

module_option = click.option(
    "--module",
    "modules",
    metavar="MODULE",
    multiple=True,
    help="Import this first: it declares the pair. May be given several times.",
)
tries_option = click.option(
    "--tries", type=click.IntRange(1), default=500, show_default=True, help="So many made-up calls at most."
)


def of(record: dict[str, Any], modules: tuple[str, ...]) -> list[Place]:
    """
    Args:
        record: A divergence class.
        modules: What is imported first, from the working directory as well.

    Returns:
        The pairs of its feature, in their present build.

    Raises:
        BadParameter: A module cannot be found.
        SeamError: There is no such pair.
    """
    from fast_litellm.accel import replaying

    if modules and "" not in sys.path:
        sys.path.insert(0, "")  # as `python -m` does
    try:
        for module in modules:
            importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise click.BadParameter(f"there is no module {error.name}", param_hint="--module") from None
    return replaying.places(str(record["feature"]), str(record["candidate_build"]))
