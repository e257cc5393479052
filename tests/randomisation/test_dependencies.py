"""The engine can be read, and run by an auditor, with the standard library alone (randomisation.md 13.14)."""

import ast
import sys
from pathlib import Path

import pytest

import randomisation

ROOT = Path(randomisation.__file__).parent
ENGINE = sorted([ROOT / "errors.py", *(ROOT / "engine").glob("*.py"), *(ROOT / "schemes").glob("*.py")])
ALLOWED = {"hmac", "hashlib", "fractions", "math", "json", "__future__", "typing", "dataclasses", "enum"}
OWN = ("randomisation.engine", "randomisation.schemes", "randomisation.errors")


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


@pytest.mark.parametrize("path", ENGINE, ids=lambda path: path.name)
def test_the_engine_imports_only_what_its_definition_lists(path):
    names = imported(ast.parse(path.read_text(encoding="utf-8")))

    assert [name for name in names if name not in ALLOWED and not name.startswith(OWN)] == []


@pytest.mark.parametrize("path", ENGINE, ids=lambda path: path.name)
def test_the_engine_holds_no_floating_point(path):
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))

    floats = [node.lineno for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, float)]
    floats += [node.lineno for node in nodes if isinstance(node, ast.Div)]
    floats += [node.lineno for node in nodes if isinstance(node, ast.Name) and node.id == "float"]
    assert floats == []


def test_the_verifier_imports_the_standard_library_and_the_engine_only():
    names = imported(ast.parse((ROOT / "verify.py").read_text(encoding="utf-8")))

    assert [n for n in names if n not in sys.stdlib_module_names and not n.startswith(OWN)] == []
    assert list(imported(ast.parse((ROOT / "__init__.py").read_text(encoding="utf-8")))) == []


def test_randomisation_imports_nothing_of_the_trial():
    for path in ROOT.rglob("*.py"):
        names = [name or "" for name in imported(ast.parse(path.read_text(encoding="utf-8")))]

        assert not [n for n in names if n.split(".")[0] in {"trial", "exports", "instruments"}], path
