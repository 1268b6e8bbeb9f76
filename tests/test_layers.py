"""The one-way order of imports (DESIGN): a module uses only what stands on a lower layer, or in its own package."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "imbalance_lab"

LAYERS = [
    {"errors", "validation", "seeding", "files", "class_counts", "tags", "task", "termination", "progress"},
    {"losses", "samplers", "metrics", "backbones"},
    {"posthoc"},
    {"data"},
    {"training"},
    {"evaluation"},
    {"report"},
    {"model"},
    {"app", "testing"},
    {"__main__"},
]
LAYER = {name: number for number, layer in enumerate(LAYERS) for name in layer}
EXCEPTIONS = {("training", "evaluation")}
"""The prediction writer writes predictions."""


def imported_parts(file):
    """The parts of the package that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "imbalance_lab":
            modules = [f"imbalance_lab.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        else:
            continue
        yield from (name.split(".")[1] for name in modules if name.startswith("imbalance_lab."))


def edges():
    """Every (part, imported part) of the package with a file that shows it."""
    found = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        part = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
        found |= {(part, other): file for other in imported_parts(file) if other != part}
    return found


def test_every_part_has_a_layer():
    parts = {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert parts - {"__init__", "__pycache__"} == set(LAYER)


def test_imports_run_one_way():
    assert ("training", "metrics") in edges()
    upward = {
        f"{part} imports {other} in {file.relative_to(ROOT)}"
        for (part, other), file in edges().items()
        if LAYER[other] >= LAYER[part] and (part, other) not in EXCEPTIONS
    }
    assert not upward


def test_departures_are_in_use_and_make_no_circle():
    assert edges().keys() >= EXCEPTIONS
    assert not {(other, part) for part, other in edges()} & edges().keys()


def test_the_package_itself_imports_nothing():
    assert list(imported_parts(PACKAGE / "__init__.py")) == []


def loaded_by(modules):
    """Top-level modules that a fresh interpreter has after an import."""
    code = f"import {modules}, sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    return set(
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.split()
    )


def test_the_command_line_answers_without_the_heavy_libraries():
    loaded = loaded_by("imbalance_lab.app.cli")
    assert "hydra" in loaded
    assert not loaded & {"torch", "numpy", "scipy", "sklearn", "lightning", "torchmetrics", "matplotlib", "rich"}


def test_what_checks_the_config_does_not_wait_for_lightning():
    loaded = loaded_by("imbalance_lab.losses, imbalance_lab.data, imbalance_lab.app.train")
    assert "torch" in loaded
    assert not loaded & {"lightning", "pytorch_lightning", "torchvision", "matplotlib"}
