"""Writes down every event that Filmroll knows (docs/events.md): made from the code, so that it is always true."""

import ast
import dataclasses
import enum
import inspect
import types
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from core.domain import codec
from core.domain.personal import PERSONAL
from events import consumers

_HEAD = """\
# Events

Every event that Filmroll records. Made from the code by `./manage.py events catalogue > docs/events.md`.
Data are JSON. A field with a value under *if absent* may be missing in older events. Fields marked *personal* say
something of a person: names, words, places, pictures, paths.
"""
_WORDS: Mapping[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "yes or no",
    UUID: "id",
    datetime: "moment",
    Any: "any JSON",
    type(None): "nothing",
}
_FOLDER = Path(__file__).parent


@dataclasses.dataclass(frozen=True, slots=True)
class _Function:
    name: str
    module: str
    is_command: bool
    # Every name that it calls or mentions, and those in the annotations of what it is given.
    names: frozenset[str]
    given: frozenset[str]


def catalogue() -> str:
    """The whole page."""
    writers = _writers({made.__name__ for made in codec.TYPES.values()})
    parts: dict[str, Any] = {}
    sections = [_section(name, made, writers[made.__name__], parts) for name, made in codec.TYPES.items()]
    shown: list[str] = []
    # A part may hold parts of its own.
    while named := sorted(set(parts) - {part.split("\n", 1)[0].removeprefix("### ") for part in shown}):
        shown += [_part(parts[name], parts) for name in named]
    return "\n".join([_HEAD, *sections, "## Parts\n", *sorted(shown)])


def _section(name: str, made: Any, commands: list[str], parts: dict[str, Any]) -> str:
    version = codec.newest_version(name)
    before = ", ".join(map(str, range(1, version)))
    older = f" Versions before it, lifted when read: {before}." if before else ""
    return "\n".join(
        [
            f"## {name}.v{version}\n",
            f"{_said(made)}{older}\n",
            *_fields(made, parts),
            f"Written by {_listed(commands) or 'no command'}. {_heard(name)}\n",
        ]
    )


def _part(made: Any, parts: dict[str, Any]) -> str:
    return "\n".join([f"### {made.__name__}\n", f"{_said(made)}\n", *_fields(made, parts)])


def _said(made: Any) -> str:
    return " ".join((inspect.getdoc(made) or "").split())


def _fields(made: Any, parts: dict[str, Any]) -> list[str]:
    fields = dataclasses.fields(made)
    if not fields:
        return ["It has no fields.\n"]
    hints = get_type_hints(made, include_extras=True)
    rows = [_row(field, hints[field.name], parts) for field in fields]
    return ["| field | is | if absent | |", "|---|---|---|---|", *rows, ""]


def _row(field: "dataclasses.Field[Any]", hint: Any, parts: dict[str, Any]) -> str:
    personal = "personal" if get_origin(hint) is Annotated and PERSONAL in get_args(hint)[1:] else ""
    absent = ""
    if field.default_factory is not dataclasses.MISSING:
        absent = f"`{field.default_factory()!r}`"
    elif field.default is not dataclasses.MISSING:
        absent = "nothing" if field.default is None else f"`{field.default!r}`"
    return f"| `{field.name}` | {_words(hint, parts)} | {absent} | {personal} |"


def _words(hint: Any, parts: dict[str, Any]) -> str:
    """A type in plain words; parts that it names are added to `parts`."""
    origin, given = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _words(given[0], parts)
    if origin in (Union, types.UnionType):
        return " or ".join(_words(one, parts) for one in given)
    if origin in (tuple, list):
        if origin is tuple and given[-1] is not Ellipsis:
            return f"{len(given)} of: {', '.join(dict.fromkeys(_words(one, parts) for one in given))}"
        return f"list of {_words(given[0], parts)}"
    if origin is dict:
        return f"names with {_words(given[1], parts)}"
    if dataclasses.is_dataclass(hint):
        parts[hint.__name__] = hint  # type: ignore[union-attr]  # a class, not a value
        return f"[{hint.__name__}](#{hint.__name__.lower()})"  # type: ignore[union-attr]
    if inspect.isclass(hint) and issubclass(hint, enum.Enum):
        return "one of " + ", ".join(f"`{one.value}`" for one in hint)
    return _WORDS.get(hint) or str(getattr(hint, "__name__", hint))


def _heard(name: str) -> str:
    models: list[str] = []
    others: list[str] = []
    for consumer in consumers.all_consumers():
        if name in consumer.HANDLERS:
            last = consumer.__name__.rsplit(".", 1)[-1]
            (models if getattr(consumer, "TABLES", ()) else others).append(last)
    read = f"Read models: {_listed(models)}." if models else "No read model hears of it."
    return f"{read} Reactions: {_listed(others)}." if others else read


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _writers(events: set[str]) -> dict[str, list[str]]:
    """For each event class the commands that make it, by following names through commands and domain.

    A command also counts as the writer of an event that it is given.
    """
    functions, unions = list(_functions()), _unions()
    by_name = defaultdict(list)
    for function in functions:
        by_name[function.name].append(function)
    found = defaultdict(list)
    for command in functions:
        if command.is_command and not command.name.startswith("_"):
            for event in sorted(events & (_members(command.given, unions) | _reached(command, by_name))):
                found[event].append(f"{command.module}.{command.name}")
    return defaultdict(list, {event: sorted(commands) for event, commands in found.items()})


def _reached(start: _Function, by_name: Mapping[str, list[_Function]]) -> frozenset[str]:
    """All names in a function and in those that it calls, and so on."""
    seen, look, names = {start}, [start], set[str]()
    while look:
        function = look.pop()
        names |= function.names
        for name in function.names:
            same = [one for one in by_name[name] if one.module == function.module]
            # A name with an underscore is its module's own.
            called = same or ([] if name.startswith("_") else by_name[name])
            look += [one for one in called if one not in seen]
            seen.update(called)
    return frozenset(names)


def _members(names: frozenset[str], unions: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """These names, and what those among them that are unions consist of."""
    inside = frozenset(part for name in names for part in unions.get(name, ()))
    return names | (_members(inside, unions) if inside else inside)


def _functions() -> Iterator[_Function]:
    for layer, module, node in _statements():
        if isinstance(node, ast.FunctionDef):
            is_command = layer == "commands" and _asks_who_acts(node)
            yield _Function(node.name, module, is_command, _used(node), frozenset(_names(node.args)))


def _asks_who_acts(node: ast.FunctionDef) -> bool:
    """As every command does; others in their modules only prepare."""
    return any(given.arg == "actor" for given in (*node.args.args, *node.args.kwonlyargs))


def _unions() -> dict[str, frozenset[str]]:
    """Names for "one of these", as `Change = PhotoRated | PhotoTitled`."""
    return {
        target.id: frozenset(_names(node.value))
        for _, _, node in _statements()
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.BinOp)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }


def _statements() -> Iterator[tuple[str, str, ast.stmt]]:
    """What stands in the modules of commands and domain: layer, module, statement."""
    for layer in ("commands", "domain"):
        for path in sorted((_FOLDER / layer).glob("*.py")):
            if path.stem not in ("log", "codec"):
                yield from ((layer, path.stem, node) for node in ast.parse(path.read_text()).body)


def _used(node: ast.FunctionDef) -> frozenset[str]:
    # Not what it is given or matched with: to ask whether it is such an event is not to write one.
    asked = [
        part
        for one in ast.walk(node)
        if isinstance(one, ast.Call) and getattr(one.func, "id", "") == "isinstance"
        for part in ast.walk(one)
    ]
    patterns = [part for one in ast.walk(node) if isinstance(one, ast.pattern) for part in ast.walk(one)]
    left_out = {id(part) for part in [*asked, *patterns]}
    return frozenset(name for one in node.body for name in _names(one, left_out))


def _names(node: ast.AST, left_out: Collection[int] = ()) -> Iterator[str]:
    for one in ast.walk(node):
        if id(one) in left_out:
            continue
        if isinstance(one, ast.Name):
            yield one.id
        elif isinstance(one, ast.Attribute):
            yield one.attr
