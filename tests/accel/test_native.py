"""The compiled module and its only importer."""

from __future__ import annotations

import ast
from pathlib import Path

import fast_litellm
from fast_litellm.accel import native

PACKAGE = Path(fast_litellm.__file__).parent


def imported_names(path: Path) -> set[str]:
    """Every name a file imports, by `import` or `from ... import`, with its dots."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {f"{node.module}.{a.name}" for node in nodes if isinstance(node, ast.ImportFrom) for a in node.names}


def _is_ours(name: str) -> bool:
    """Other packages have a compiled module of that name as well."""
    return "_native" in name.split(".") and name.partition(".")[0] in ("fast_litellm", "_native", "None")


def test_one_file_imports_the_compiled_module():
    """Everything native reaches the package through accel/native.py."""
    found = {path for path in PACKAGE.rglob("*.py") if any(_is_ours(name) for name in imported_names(path))}

    assert {PACKAGE / "accel" / "native.py"} == found


def test_the_version_is_written_once():
    """The package, the compiled part and the metadata agree."""
    assert fast_litellm.__version__ == native.VERSION
    assert native.BUILD.startswith(f"{native.VERSION}+")


def test_the_suite_runs_on_a_release_build():
    """Nothing measured or compared here comes from a debug build."""
    assert not native.DEBUG_BUILD
