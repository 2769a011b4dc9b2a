"""What a URL takes, as the tables of arguments say it."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from django.db.models import Model


class Arguments(NamedTuple):
    """`path` finds what stands in each gap of the address; `sent` is a request that is usually accepted.

    `sent` is a form, or the JSON document of an address for machines.
    """

    path: Mapping[str, Callable[[], object]] = {}
    query: tuple[str, ...] = ()
    sent: Mapping[str, Any] = {}


def first_of(model: type[Model]) -> object:
    return model._default_manager.values_list("pk", flat=True)[0]
