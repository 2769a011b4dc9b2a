"""Every kind of problem that the API answers with, and what to do about it.

The `type` of a problem (RFC 9457) is the address of its section on the page /problems/. docs/problems.md is made of
this: `make docs`.
"""

from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

from django.conf import settings

PAGE: Final = "/problems/"
# RFC 9457: the type of a problem that says no more than its status.
NO_TYPE: Final = "about:blank"


class ProblemType(NamedTuple):
    """`slug` is the anchor of its section, and its title in lower case with hyphens."""

    status: int
    title: str
    meaning: str
    remedy: str

    @property
    def slug(self) -> str:
        return slug(self.title)


PROBLEM_TYPES: Final = (
    # The first row of a status stands for all problems with that status whose title is none of these.
    ProblemType(400, "Bad request", "The request cannot be read.", "Correct it."),
    ProblemType(
        400, "Invalid request", "A parameter or a member is missing, unknown or wrong.", "`errors` names each."
    ),
    ProblemType(400, "Invalid body", "The body is not in the format that it should be in.", "Correct it."),
    ProblemType(400, "Damaged body", "The compressed body cannot be inflated.", "Send it again, whole."),
    ProblemType(
        401,
        "Unauthorized",
        "No service key was shown, or one that is unknown, revoked, expired or not allowed from this address.",
        "Show a service key as a bearer token.",
    ),
    ProblemType(401, "No name", "The gateway named no customer.", "Have the gateway pass on the customer's key."),
    ProblemType(403, "Forbidden", "The service key lacks the scope that this needs.", "`detail` names the scope."),
    ProblemType(
        404, "Not found", "There is nothing at this address, or nothing of this name.", "Look for a misspelling."
    ),
    ProblemType(
        405, "Method not allowed", "The address does not take this method.", "The header Allow lists those it takes."
    ),
    ProblemType(406, "Not acceptable", "The answer cannot be given in a format that Accept names.", "Accept JSON."),
    ProblemType(408, "Request timeout", "The body took too long to arrive.", "Send less at once, then again."),
    ProblemType(409, "Conflict", "What is asked for conflicts with what there is.", "Read it again, then decide."),
    ProblemType(
        409,
        "Key already used",
        "This unique_key or Idempotency-Key was used for another request (409 with the differences, or 422).",
        "Use a new key for a new request.",
    ),
    ProblemType(409, "Request in progress", "The same request is being answered just now.", "Send it again later."),
    ProblemType(
        409,
        "Already restricted",
        "A restriction of this kind would be in force before and after the start that is asked for.",
        "Leave starts_at out, or lift that one first.",
    ),
    ProblemType(410, "Gone", "What is asked for is no longer kept.", "Begin from what there is now."),
    ProblemType(410, "Unknown change", "The feed has no change of this number yet.", "Load a snapshot."),
    ProblemType(410, "New epoch", "The numbers of the feed belong to another history.", "Load a snapshot."),
    ProblemType(410, "Change too old", "The feed no longer has the changes after this number.", "Load a snapshot."),
    ProblemType(
        412,
        "Changed meanwhile",
        "What If-Match names is not what there is any more; nothing was changed.",
        "Read it again, then decide.",
    ),
    ProblemType(413, "Too large", "The body is larger than this address takes.", "Send less at once."),
    ProblemType(413, "Too many events", "A batch has more events than are taken at once.", "Send several batches."),
    ProblemType(415, "Unsupported media type", "The body's Content-Type is not taken here.", "Send JSON."),
    ProblemType(415, "Unknown format", "The body is neither protobuf nor JSON.", "Send one of the two."),
    ProblemType(
        415, "Unknown encoding", "The body's Content-Encoding is not known.", "Send it plain, as gzip or zstd."
    ),
    ProblemType(
        422, "Unusable key", "The Idempotency-Key or unique_key is too long or cannot be read.", "Use another."
    ),
    ProblemType(
        429,
        "Too many requests",
        "This service key asks too often, or too many of its requests are being answered (503 to gateways).",
        "Send it again after Retry-After.",
    ),
    ProblemType(
        429,
        "Scoring is behind",
        "Events arrive faster than they are scored (503 to LiteLLM).",
        "Send them again later.",
    ),
    ProblemType(
        429,
        "Too many new names",
        "The batch brings in more unknown customers than a service key may in an hour (503 to LiteLLM).",
        "Import them with the register, or send the batch again later.",
    ),
    ProblemType(500, "Internal server error", "Something went wrong here; it was logged.", "Send it again later."),
    ProblemType(
        501, "Not implemented", "The transfer coding of the body is not known.", "Send it as it is or in chunks."
    ),
    ProblemType(503, "Unavailable", "The database does not answer; nothing was saved.", "Send it again later."),
    ProblemType(503, "Busy", "Another transaction held the same rows for too long.", "Send it again later."),
    ProblemType(503, "Not ready", "The check has not loaded what is in force yet.", "Ask again in a second."),
    ProblemType(503, "Not up to date yet", "The change asked for has not arrived here.", "Ask again in a second."),
    ProblemType(503, "No snapshot now", "The database does not answer.", "Keep what you have, and ask again."),
)


def slug(title: str) -> str:
    return title.lower().replace(" ", "-")


@cache
def problem_type(status: int, title: str) -> str:
    """Return the address of what is written about a problem of this status and title."""
    wanted = slug(title)
    if any(one.slug == wanted for one in PROBLEM_TYPES):
        return f"{settings.PUBLIC_URL}{PAGE}#{wanted}"
    plain = next((one.slug for one in PROBLEM_TYPES if one.status == status), None)
    return f"{settings.PUBLIC_URL}{PAGE}#{plain}" if plain else NO_TYPE


def problems_as_markdown() -> str:
    """Return docs/problems.md."""
    return "".join(_lines())


def _lines() -> Iterator[str]:
    yield "# Problems\n\nFor those who call the API: what each kind of problem means, and what to do.\n\n"
    yield "Errors are problem details (RFC 9457, `application/problem+json`). `type` is the address of a section of\n"
    yield "`/problems/`, which says the same as this page. Go by `type` or the status: `title` and `detail` are for\n"
    yield "people.\n"
    yield "Made of [problem_types.py](../governance/web/problem_types.py) by `make docs`.\n"
    for one in PROBLEM_TYPES:
        yield f"\n## {one.title}\n\n`{one.status}`. {one.meaning} {one.remedy}\n"


if __name__ == "__main__":
    print(problems_as_markdown(), end="")  # noqa: T201 - to standard output, as `make docs` reads it
