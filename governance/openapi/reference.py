"""The OpenAPI document as the page of it shows it: its operations in groups, with examples as text."""

import json
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from governance.openapi.document import operations

Document = Mapping[str, Any]


class Parameter(NamedTuple):
    name: str
    place: str
    is_required: bool
    meaning: str


class Example(NamedTuple):
    title: str
    text: str


class Answer(NamedTuple):
    status: str
    meaning: str
    examples: list[Example]


class DescribedOperation(NamedTuple):
    """`scopes` are those that a service key needs; none where something else than a service key is shown."""

    anchor: str
    method: str
    path: str
    summary: str
    description: str
    scopes: list[str]
    parameters: list[Parameter]
    bodies: list[Example]
    answers: list[Answer]


class Group(NamedTuple):
    name: str
    operations: list[DescribedOperation]


def described_groups(document: Document) -> list[Group]:
    groups: dict[str, list[DescribedOperation]] = {}
    for path, method, operation in operations(dict(document)):
        groups.setdefault(operation["tags"][0], []).append(_described(path, method, operation))
    return [Group(name, found) for name, found in sorted(groups.items())]


def described_webhooks(document: Document) -> list[DescribedOperation]:
    return [_described(name, "post", item["post"]) for name, item in document.get("webhooks", {}).items()]


def _described(path: str, method: str, operation: Mapping[str, Any]) -> DescribedOperation:
    return DescribedOperation(
        anchor=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        description=operation.get("description", ""),
        scopes=sorted({scope for one in operation.get("security", []) for scopes in one.values() for scope in scopes}),
        parameters=[
            Parameter(one["name"], one["in"], one.get("required", False), one.get("description", ""))
            for one in operation.get("parameters", [])
        ],
        bodies=list(_examples(operation.get("requestBody", {}))),
        answers=list(_answers(operation)),
    )


def _answers(operation: Mapping[str, Any]) -> Iterator[Answer]:
    """What is answered where all goes well, and errors of which more is to be said than that they are problems."""
    for status, answer in sorted(operation["responses"].items()):
        if "$ref" not in answer:
            meaning = answer.get("description") or HTTPStatus(int(status)).phrase
            yield Answer(status, meaning, list(_examples(answer)))


def _examples(part: Mapping[str, Any]) -> Iterator[Example]:
    for kind, media in part.get("content", {}).items():
        for name, example in media.get("examples", {}).items():
            value = example.get("value")
            text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
            yield Example(f"{example.get('summary') or name} · {kind}", text)
