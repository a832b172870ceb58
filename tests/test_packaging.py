"""What is installed is what is here: every package is named in setup.cfg, and the wheel holds all that runs."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOTS = {"lms_bridge": ROOT / "lms_bridge", "lms_bridge_templates": ROOT / "templates"} | {
    path.name: path for path in sorted((ROOT / "plugins").iterdir()) if (path / "__init__.py").exists()
}


@pytest.fixture(scope="session")
def configuration() -> configparser.ConfigParser:
    """setup.cfg."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in a wheel built from a copy of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for name in ("lms_bridge", "plugins", "templates"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-build-isolation", "--no-deps", "--no-index"]
    done = subprocess.run([*command, "-w", folder, source], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    (file,) = folder.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        return set(archive.namelist())


def on_disk(pattern: str) -> set[str]:
    """Files of all roots that match ``pattern``, by the names that they have in a wheel."""
    return {
        f"{package}/{path.relative_to(root).as_posix()}"
        for package, root in ROOTS.items()
        for path in root.rglob(pattern)
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_every_package_is_named_in_setup_cfg(configuration: configparser.ConfigParser) -> None:
    here = {name.removesuffix("/__init__.py").replace("/", ".") for name in on_disk("__init__.py")}
    named = set(configuration["options"]["packages"].split())
    # The migrations are data of the application, run by Alembic and not imported.
    assert named | {"lms_bridge.migrations"} == here | {"lms_bridge.migrations"}


def test_every_root_is_where_setup_cfg_says(configuration: configparser.ConfigParser) -> None:
    pairs = (line.split(" = ") for line in configuration["options"]["package_dir"].strip().splitlines())
    assert {name: ROOT / folder for name, folder in pairs} == ROOTS


def test_every_plugin_is_registered(configuration: configparser.ConfigParser) -> None:
    registered = {
        line.partition("=")[2].strip().partition(":")[0]
        for group, lines in configuration["options.entry_points"].items()
        if group.startswith("lms_bridge.")
        for line in lines.strip().splitlines()
    }
    assert registered == {name for name in ROOTS if (ROOT / "plugins" / name).exists()}


def test_every_entry_point_leads_somewhere(configuration: configparser.ConfigParser) -> None:
    for group in configuration["options.entry_points"]:
        for entry in entry_points(group=group):
            if entry.dist is not None and entry.dist.name == "lms-bridge":
                assert entry.load() is not None, entry


@pytest.mark.parametrize(
    "pattern", ["*.py", "*.pyi", "py.typed", "*.html", "*.txt", "*.po", "*.css", "*.js", "*.svg", "*.mako", "*.docx"]
)
def test_the_wheel_holds_every_file_that_runs(wheel: set[str], pattern: str) -> None:
    assert on_disk(pattern) <= wheel, on_disk(pattern) - wheel


def test_the_wheel_holds_every_file_of_the_templates_and_pages(wheel: set[str]) -> None:
    data = {name for name in on_disk("*") if name.startswith(("lms_bridge_templates/", "lms_bridge/web/static/"))}
    assert data <= wheel, data - wheel


def test_the_wheel_holds_nothing_else(wheel: set[str]) -> None:
    strangers = {name for name in wheel if name.split("/")[0] not in ROOTS and ".dist-info/" not in name}
    assert strangers == set()
    assert any(name.endswith("dist-info/licenses/LICENSE") for name in wheel)


@pytest.mark.parametrize("name", ["base.txt", "dev.txt", "build.txt"])
def test_every_locked_dependency_has_a_version_and_hashes_and_no_host(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text
    blocks = [block for block in text.replace("\\\n", " ").splitlines() if block and not block.lstrip().startswith("#")]
    assert all("==" in block and "--hash=sha256:" in block for block in blocks)


def test_the_test_tools_are_locked_with_the_versions_that_are_shipped() -> None:
    def versions(name: str) -> set[str]:
        lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
        return {line.removesuffix(" \\") for line in lines if "==" in line and not line.startswith((" ", "#"))}

    assert versions("base.txt") | versions("build.txt") <= versions("dev.txt")
