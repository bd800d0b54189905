"""Write the parts of docs/*.md that the program itself knows: keys of recipes, actions, commands, events.

    python -m tests.tools.make_docs

A part stands between ``<!-- NAME: ... -->`` and ``<!-- end -->``, with NAME one of ``PARTS``; all else is written by hand.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect as types
from typer.main import get_command

from core import commands, events, models
from core.exporting import Facts
from core.recipe import Recipe
from core.sections import Section
from tui_trainer import actions, keymap
from tui_trainer.cli import application
from tui_trainer.screens.help import SECTIONS

DOCS = Path(__file__).parents[2] / "docs"
PART = re.compile(r"(<!-- (\w+): [^>]*-->\n).*?(<!-- end -->)", re.DOTALL)
BEYOND = 1e15
"""Bounds as large say only what a number may be at all."""
MODELS_KEY = "model"
"""Its keys are those of the file in core/models that ``model.name`` picks."""


def documented(text: str) -> str:
    """A page with its parts written anew."""
    return PART.sub(lambda found: f"{found[1]}{PARTS[found[2]]().strip()}\n{found[3]}", text)


def recipe_keys() -> str:
    own = types.type_info(Recipe)
    assert isinstance(own, types.StructType)
    tables = [("", own), *((f"[{field.name}]", field.type) for field in own.fields if isinstance(field.type, types.StructType))]
    lists = [(field.name, field.type.item_type) for field in own.fields if isinstance(field.type, types.VarTupleType)]
    return "\n\n".join([
        *(_section(f"### `{title}`" if title else "### At the top", struct) for title, struct in tables),
        *(_section(_list_title(name, struct), struct) for name, item in lists for struct in _structs(item)),
    ])  # fmt: skip


def model_keys() -> str:
    parts = []
    for name in models.names():
        module = importlib.import_module(f"core.models.{name}")
        config = types.type_info(module.Config)
        assert isinstance(config, types.StructType)
        parts.append(_section(f'### `model.name = "{name}"`', config, _first_paragraph(module.__doc__)))
    return "\n\n".join(parts)


def action_keys() -> str:
    parts = []
    for scope, title in SECTIONS:
        rows = [_action(action) for action in actions.TABLE if action.scope == scope]
        parts.append(f"### {title}\n\n{_table(('keys', '', 'what it does', 'without the console'), rows)}")
    return "\n\n".join(parts)


def command_options() -> str:
    found: Any = get_command(application())
    return "\n\n".join(_command(name, command) for name, command in found.commands.items())


def event_fields() -> str:
    kinds = sorted(_leaves(events.Event), key=lambda kind: kind.__name__)
    return "\n\n".join(_section(f"### `{kind.__name__}`", _info(kind), _first_paragraph(_own_doc(kind))) for kind in kinds)


def command_fields() -> str:
    return "\n\n".join(
        _section(f"### `{kind.__name__}`", _info(kind), _first_paragraph(_own_doc(kind))) for kind in _leaves(commands.Command)
    )


def export_facts() -> str:
    return _section("", _info(Facts))


PARTS: dict[str, Callable[[], str]] = {
    "recipe_keys": recipe_keys,
    "model_keys": model_keys,
    "action_keys": action_keys,
    "command_options": command_options,
    "event_fields": event_fields,
    "command_fields": command_fields,
    "export_facts": export_facts,
}


def _section(title: str, struct: types.StructType, text: str = "") -> str:
    bases = (owner for owner in struct.cls.__mro__[1:] if issubclass(owner, msgspec.Struct) and owner is not msgspec.Struct)
    base = {field for owner in bases for field in owner.__struct_fields__}
    notes = notes_of(struct.cls)
    fields = [
        field for field in struct.fields
        if not isinstance(field.type, types.StructType) and field.name not in base and field.name != MODELS_KEY
    ]  # fmt: skip
    rows = [(_code(field.name), _words(field.type), _default(field), notes.get(field.name, "")) for field in fields]
    about = text or (_first_paragraph(_own_doc(struct.cls)) if issubclass(struct.cls, Section) else "")
    return "\n\n".join(filter(None, [title, about, _table(("key", "", "when left out", ""), rows)]))


def _list_title(name: str, struct: types.StructType) -> str:
    tag = f', `name = "{struct.tag}"`' if struct.tag else ""
    return f"### `[[{name}]]`{tag}"


def _structs(item: types.Type) -> Iterator[types.StructType]:
    for kind in item.types if isinstance(item, types.UnionType) else (item,):
        if isinstance(kind, types.StructType):
            yield kind


def _info(kind: type[msgspec.Struct]) -> types.StructType:
    found = types.type_info(kind)
    assert isinstance(found, types.StructType)
    return found


def _leaves(kind: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for child in kind.__subclasses__():
        if child.__module__.startswith("core."):
            yield from _leaves(child) if child.__subclasses__() else (child,)


def _words(kind: types.Type) -> str:
    """What may be given, as a writer of TOML calls it."""
    match kind:
        case types.LiteralType(values):
            return ", ".join(f"`{value}`" for value in values)
        case types.BoolType():
            return "true or false"
        case types.IntType() | types.FloatType():
            return f"{'whole number' if isinstance(kind, types.IntType) else 'number'}{_bounds(kind)}"
        case types.StrType():
            return "text"
        case types.UnionType(kinds):
            return " or ".join(dict.fromkeys(_words(one) for one in kinds if not isinstance(one, types.NoneType)))
        case types.TupleType(kinds):
            return f"[{', '.join(_words(one) for one in kinds)}]"
        case types.VarTupleType(item) | types.ListType(item):
            inner = _words(item)
            return f"list of {inner}{'' if inner.startswith('list') else 's'}"
        case types.DictType(_, value):
            return f"table of {_words(value)}"
        case types.StructType():
            return "table"
        case types.CustomType() | types.AnyType():
            return "any"
    return type(kind).__name__.removesuffix("Type").lower()


def _bounds(kind: types.IntType | types.FloatType) -> str:
    signs = {"above": kind.gt, "from": kind.ge, "below": kind.lt, "to": kind.le}
    shown = {word: bound for word, bound in signs.items() if bound is not None and abs(bound) < BEYOND}
    return "".join(f" {word} {bound:,}" for word, bound in shown.items())


def _default(field: types.Field) -> str:
    if field.default is msgspec.NODEFAULT:
        return "" if field.default_factory is msgspec.NODEFAULT or field.default_factory in (dict, list) else "computed"
    if field.default in (None, (), "", {}):
        return ""
    return _code(json.dumps(field.default) if isinstance(field.default, bool | tuple) else field.default)


def notes_of(kind: type) -> dict[str, str]:
    """What stands under each field in the source, by field."""
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)
    pairs = zip(body.body, body.body[1:], strict=False)
    return {
        field.target.id: _plain(note.value.value)
        for field, note in pairs
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        and isinstance(note, ast.Expr) and isinstance(note.value, ast.Constant) and isinstance(note.value.value, str)
    }  # fmt: skip


def _own_doc(kind: type) -> str:
    return vars(kind).get("__doc__") or ""


def _first_paragraph(text: str | None) -> str:
    return _plain((text or "").partition("\n\n")[0])


def _plain(text: str) -> str:
    """One line of Markdown of a docstring's text."""
    return re.sub(r"\s+", " ", re.sub(r":\w+:`([^`]*)`", r"`\1`", text).replace("``", "`")).strip().replace("|", "\\|")


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Empty without rows."""
    lines = [list(head), *map(list, rows)]
    written = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([written[0], "|" + "---|" * len(lines[0]), *written[1:]]) if len(lines) > 1 else ""


def _code(text: object) -> str:
    return f"`{text}`" if text else ""


def _action(action: actions.Action) -> tuple[str, ...]:
    keys = " ".join(_code(keymap.written(key)) for key in action.keys) or (f"`c` `{action.menu}`" if action.menu else "")
    return keys, _plain(action.label), _plain(action.help), _code(_plain(action.cli or ""))


def _command(name: str, command: Any) -> str:
    """``command`` is what typer made of a function, or of several."""
    parts = [f"### `{name}`", _plain(command.help or "")]
    if children := getattr(command, "commands", None):
        return "\n\n".join([*parts, *(_command(f"{name} {child}", children[child]) for child in children)])
    shown = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
    return "\n\n".join(filter(None, [*parts, _table(("", "", "when left out"), map(_parameter, shown))]))


def _parameter(parameter: Any) -> tuple[str, ...]:
    names = [*parameter.opts, *parameter.secondary_opts]
    named = parameter.name.upper() if parameter.param_type_name == "argument" else "` `".join(names)
    default = parameter.default if isinstance(parameter.default, int | float | str) else ""
    return _code(named), _plain(getattr(parameter, "help", "") or ""), "" if isinstance(default, bool) else _code(default)


def main() -> None:
    for page in sorted(DOCS.glob("*.md")):
        page.write_text(documented(page.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
