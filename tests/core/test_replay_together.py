"""A read model whose handlers read another one's tables says so, since both have to be replayed together."""

import dis
from collections.abc import Callable, Iterator
from importlib import import_module
from types import CodeType, ModuleType
from typing import Any

import pytest

from events.replay import read_models


def names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from names_in(inner)


def imports_in(code: CodeType) -> dict[str, Any]:
    """What a function imports when it runs."""
    found: dict[str, Any] = {}
    source = ""
    for step in dis.get_instructions(code):
        if step.opname == "IMPORT_NAME":
            source = step.argval
        elif step.opname == "IMPORT_FROM":
            found[step.argval] = getattr(import_module(source), step.argval)
    return found


def reached(module: ModuleType, function: Callable[..., Any], seen: set[str]) -> set[str]:
    """All names in a function of a read model and in those of read models that it calls."""
    known = {**vars(module), **imports_in(function.__code__)}
    for name in set(names_in(function.__code__)) - seen:
        seen.add(name)
        called = known.get(name)
        if hasattr(called, "__code__") and called.__module__.startswith("core.readmodels."):
            reached(import_module(called.__module__), called, seen)
    return seen


@pytest.mark.parametrize("name", read_models())
def test_a_read_model_names_those_that_its_handlers_read(name: str) -> None:
    module = read_models()[name]
    used = {word for handler in module.HANDLERS.values() for word in reached(module, handler, set())}
    read = {
        other
        for other, neighbour in read_models().items()
        if other != name and used & {table.__name__ for table in neighbour.TABLES}
    }
    assert read == set(getattr(module, "READS", ())), (
        f"READS in core/readmodels/{name}.py has to name {sorted(read)}"
    )
