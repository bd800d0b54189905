"""What the program's own source must not do: read a pickle, run text as code, or import what a file names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import core
import tui_trainer
from core import models
from core.errors import UserError
from core.models import Inputs

ROOTS = [Path(package.__path__[0]) for package in (core, tui_trainer)]
MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "yaml", "code", "codeop", "runpy"}
"""That turn bytes into code or objects."""
NAMES = {"eval", "exec", "compile", "__import__"}
"""Of builtins."""
CALLS = {"os.system", "os.popen", "torch.load", "numpy.load", "np.load", "torch.hub.load", "yaml.load", "pickle.loads"}
SHELLS = {"sh", "bash", "zsh", "dash", "cmd.exe", "powershell"}
IMPORTS = {"import_module", "spec_from_file_location", "load_module", "exec_module", "resolve_name"}
ADMITTED = {
    "core/__init__.py": {"imports by name ''"},  # of a table that stands there
    "core/data/cifar.py": {"imports pickle"},  # the official Python form of CIFAR-10, see test_data_cifar10
    "core/data/decoded.py": {"calls np.load(allow_pickle=False)"},
    "core/data/__init__.py": {"imports by name 'core.data.sources.{}'"},  # after the name is among the files that are there
    "core/exporting/__init__.py": {"imports by name '{}.{}'"},  # the same
    "core/run/notify.py": {"starts a shell"},  # for the command that its user gave; nothing else is in that text
    "core/models/__init__.py": {"imports by name '{}.{}'"},  # the same
    "core/models/_elsewhere/python.py": {"imports by name ''"},  # that its user named, see test_models_python
    "tui_trainer/cli/__init__.py": {"imports import_module", "imports by name '{}.{}'"},  # of a table that stands there
    "tui_trainer/__init__.py": {"imports import_module", "imports by name ''"},  # the same
    "tui_trainer/panels/__init__.py": {"imports by name '{}.{}'"},  # of the files that are there
    "tui_trainer/trackers/__init__.py": {"imports by name '{}.{}'"},  # the same
}


def sources() -> Iterator[tuple[str, ast.Module]]:
    for root in ROOTS:
        for path in sorted(root.rglob("*.py")):
            yield str(path.relative_to(root.parent)), ast.parse(path.read_text("utf-8"))


def finds(tree: ast.Module) -> set[str]:
    return {words for node in ast.walk(tree) for words in _finds(node)}


def _finds(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (f"imports {alias.name}" for alias in names if alias.name.partition(".")[0] in MODULES)
        case ast.ImportFrom(module=str(module)) if module.partition(".")[0] in MODULES:
            yield f"imports {module}"
        case ast.ImportFrom(names=names):
            yield from (f"imports {alias.name}" for alias in names if alias.name in IMPORTS | {"system", "popen"})
        case ast.Constant(value=str(path)) if path.rpartition("/")[2] in SHELLS:
            yield "starts a shell"
        case ast.Name(id=name, ctx=ast.Load()) if name in NAMES:
            yield f"uses {name}"
        case ast.Call():
            yield from _call(node)


def _call(node: ast.Call) -> Iterator[str]:
    called, named = ast.unparse(node.func), {word.arg: ast.unparse(word.value) for word in node.keywords}
    if called in CALLS:
        yield f"calls {called}({'allow_pickle=False' if named.get('allow_pickle') == 'False' else ''})"
    if named.get("shell", "False") != "False":
        yield "calls a shell"
    if named.get("weights_only", "True") != "True" or named.get("allow_pickle", "False") != "False":
        yield "admits pickles"
    if called.rpartition(".")[2] in IMPORTS and not (node.args and isinstance(node.args[0], ast.Constant)):
        yield f"imports by name {_pattern(node.args[0])!r}" if node.args else "imports by name"


def _pattern(node: ast.expr) -> str:
    """An f-string with its expressions left out."""
    parts = node.values if isinstance(node, ast.JoinedStr) else []
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)


def test_no_source_file_does_what_it_must_not() -> None:
    found = {name: words for name, tree in sources() if (words := finds(tree))}
    assert found == ADMITTED
    assert len(list(sources())) > 100


@pytest.mark.parametrize(
    "text",
    [
        "import pickle", "from pickle import loads", "import marshal as m", "import shelve", "import yaml", "eval('1')",
        "run = exec", "compile('', '', 'exec')", "__import__('os')", "importlib.import_module(name)", "from os import system",
        "import_module(f'{name}')", "from importlib import import_module as get", "torch.load(path)", "np.load(path)",
        "yaml.load(text)", "subprocess.run(text, shell=True)", "subprocess.run(text, shell=flag)", "os.system(text)",
        "subprocess.run(['/bin/sh', '-c', text])", "load(path, weights_only=False)", "load(path, allow_pickle=True)",
    ],
)  # fmt: skip
def test_the_search_finds_it(text: str) -> None:
    assert finds(ast.parse(text))


@pytest.mark.parametrize("name", ["os", "_layers", "__init__", "../recipe", "convnet.sys", "convnet\n", "", None, ["convnet"]])
def test_a_model_of_a_checkpoint_is_one_of_ours_or_none(name: object) -> None:
    with pytest.raises(UserError, match=r"model\.name: .* is not known"):
        models.build({"name": name}, Inputs(2))
