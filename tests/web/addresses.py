"""Every address that there is, found by walking through the routes: pages, and the API's operations."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from core.api.api import api

API = "api/v1/"
# Pages of the API's library; its operations are found by their description.
_OF_THE_LIBRARY = {"openapi-json", "openapi-view"}
Known = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """A page or fragment: its name, its address with {parameters} in it, and the names of these."""

    name: str
    template: str
    parameters: tuple[str, ...]

    def at(self, known: Known) -> str:
        """Its address. Raises KeyError for a parameter of which nothing is known."""
        return "/" + self.template.format_map({name: known[name] for name in self.parameters})


@dataclass(frozen=True, slots=True)
class Operation:
    """What the API does at an address by a method, as it describes itself."""

    method: str
    template: str
    parameters: tuple[Mapping[str, Any], ...]
    body: Mapping[str, Any] | None

    @property
    def name(self) -> str:
        return f"{self.method} {self.template}"

    @property
    def names_something(self) -> bool:
        """Whether anything in it is an id."""
        return "uuid" in json.dumps([[each["schema"] for each in self.parameters], _resolved(self.body or {})])

    def ask(self, client: Client, known: Known, **headers: str) -> Any:
        """The answer to a question in which everything is filled in. Raises KeyError for an unknown id."""
        said = {
            each["name"]: (each["in"], _value(each["name"], each["schema"], known)) for each in self.parameters
        }
        asked = {name: str(value) for name, (place, value) in said.items() if place == "query"}
        path = self.template.format_map({name: value for name, (place, value) in said.items() if place == "path"})
        body = json.dumps(_value("", self.body, known), default=str) if self.body else ""
        return client.generic(
            self.method,
            path,
            body,
            "application/json",
            query_params=asked,
            headers={"Tus-Resumable": "1.0.0", **headers},
        )

    def nonsense(
        self, known: Known, values: Sequence[Any], bodies: Sequence[bytes]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Requests of which one field holds each of these values, or is such a body; with words for it."""
        said = {each["name"]: _value(each["name"], each["schema"], known) for each in self.parameters}
        body = _value("", self.body, known) if self.body else None
        for name in said:
            for value in values:
                if _in_address(value):
                    yield f"{name}={value!r}", self._request({**said, name: value}, _json(body))
        if self.body:
            for raw in bodies:
                yield repr(raw), self._request(said, raw)
            for spot in _spots(body):
                for value in values:
                    yield f"{spot}={value!r}", self._request(said, _json(_with(body, spot, value)))

    def _request(self, said: Known, body: bytes) -> dict[str, Any]:
        places: dict[str, dict[str, str]] = {"path": {}, "query": {}}
        for each in self.parameters:
            places[each["in"]][each["name"]] = _in_address(said[each["name"]])
        return {
            "method": self.method,
            "path": self.template.format_map({name: quote(text, "") for name, text in places["path"].items()}),
            "query_params": places["query"],
            "data": body,
            "content_type": "application/json",
            "headers": {"Tus-Resumable": "1.0.0"},
        }


def pages() -> list[Page]:
    """All that is no operation of the API."""
    return [
        page for page in _walk(get_resolver()) if not page.template.startswith(API) or page.name in _OF_THE_LIBRARY
    ]


def operations() -> list[Operation]:
    """All that the API does; each of its routes is described."""
    routes = {page.template for page in _walk(get_resolver()) if page.template.startswith(API)}
    described = _described()["paths"]
    left_out = {f"/{template}" for template in routes} - set(described)
    assert left_out == {f"/{API}", f"/{API}docs", f"/{API}openapi.json"}
    return [
        Operation(method.upper(), path, tuple(said.get("parameters", ())), _body_of(said))
        for path, methods in described.items()
        for method, said in methods.items()
    ]


def _walk(resolver: URLResolver, before: str = "") -> Iterator[Page]:
    for each in resolver.url_patterns:
        at = before + _template(each)
        if isinstance(each, URLResolver):
            yield from _walk(each, at)
        else:
            yield Page(each.name or at, at, tuple(each.pattern.converters))


def _template(each: URLPattern | URLResolver) -> str:
    text = str(each.pattern)
    for name, converter in each.pattern.converters.items():
        kinds = ("", f"{type(converter).__name__.removesuffix('Converter').lower()}:")
        for kind in kinds:
            text = text.replace(f"<{kind}{name}>", f"{{{name}}}")
    assert "<" not in text, f"{text} is not understood"
    return text


@cache
def _described() -> Any:
    return json.loads(json.dumps(api.get_openapi_schema(), default=str))


def _body_of(said: Mapping[str, Any]) -> Mapping[str, Any] | None:
    found = said.get("requestBody", {}).get("content", {}).get("application/json")
    return found and found["schema"]  # type: ignore[no-any-return]


def _resolved(schema: Mapping[str, Any]) -> Any:
    """The schema with what it refers to in its place."""
    if "$ref" in schema:
        return _resolved(_described()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    return {
        key: _resolved(value)
        if isinstance(value, dict)
        else [_resolved(one) if isinstance(one, dict) else one for one in value]
        if isinstance(value, list)
        else value
        for key, value in schema.items()
    }


def _value(name: str, schema: Mapping[str, Any], known: Known) -> Any:
    """Something that such a field may hold; ids are those that are known by the field's name."""
    schema = _resolved(schema)
    for either in ("anyOf", "oneOf", "allOf"):
        if either in schema:
            return _value(name, schema[either][0], known)
    if schema.get("format") == "uuid":
        return known[name]
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            return {each: _value(each, inside, known) for each, inside in schema.get("properties", {}).items()}
        case "array" if schema["items"].get("format") == "uuid":
            return known[name]
        case "array":
            return [_value(name, schema["items"], known)]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
    return {"date-time": "2024-05-01T12:00:00Z", "time": "12:00:00"}.get(schema.get("format", ""), "x")


def _in_address(value: Any) -> str:
    """As it stands in an address, where half a character cannot."""
    return str(value).encode("utf-8", "replace").decode()


def _json(body: Any) -> bytes:
    return json.dumps(body, default=str).encode()


def _spots(body: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where in a body there is a field, at any depth."""
    if at:
        yield at
    match body:
        case dict():
            for key, value in body.items():
                yield from _spots(value, (*at, key))
        case list() if body:
            yield from _spots(body[0], (*at, 0))


def _with(body: Any, spot: tuple[Any, ...], value: Any) -> Any:
    """The body with that value in that spot."""
    if not spot:
        return value
    made = dict(body) if isinstance(body, dict) else list(body)
    made[spot[0]] = _with(made[spot[0]], spot[1:], value)
    return made
