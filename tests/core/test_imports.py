"""Plugins know the plugin interface alone, and nothing names a plugin. (The floors: import-linter, make imports.)"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLUGINS = sorted(path.name for path in (ROOT / "plugins").iterdir() if (path / "__init__.py").exists())


def imported(file: Path) -> set[str]:
    """Absolute names of the modules that ``file`` imports, wherever it does."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def within(name: str, package: str) -> bool:
    """Whether the module or member ``name`` belongs to ``package``."""
    return name == package or name.startswith(package + ".")


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugin_imports_of_lms_bridge_only_the_plugin_interface(plugin: str) -> None:
    for file in (ROOT / "plugins" / plugin).rglob("*.py"):
        names = imported(file)
        ours = {n for n in names if within(n, "lms_bridge") and not within(n, "lms_bridge.core.plugins")}
        others = {n for n in names for other in PLUGINS if other != plugin and within(n, other)}
        foreign = ours | others
        assert foreign == set(), file.relative_to(ROOT)


def test_nothing_of_lms_bridge_imports_a_plugin() -> None:
    for file in (ROOT / "lms_bridge").rglob("*.py"):
        assert not any(within(name, plugin) for name in imported(file) for plugin in PLUGINS), file.relative_to(ROOT)


def test_one_place_tells_the_inserts_of_the_databases_apart() -> None:
    inserts = {"sqlalchemy.dialects.postgresql.insert", "sqlalchemy.dialects.sqlite.insert"}
    files = [file for file in (ROOT / "lms_bridge").rglob("*.py") if imported(file) & inserts]
    assert files == [ROOT / "lms_bridge" / "core" / "database.py"]


def test_no_file_is_called_by_what_it_is_not_about() -> None:
    nameless = {"utils.py", "util.py", "helpers.py", "helper.py", "misc.py", "service.py", "services.py"}
    files = [f for top in ("lms_bridge", "plugins") for f in (ROOT / top).rglob("*.py")]
    assert [f for f in files if f.name in nameless] == []
