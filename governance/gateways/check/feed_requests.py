"""Parse what a gateway's client asks of the feed and reports with it. Every member has a limit."""

from typing import Annotated, Final

import msgspec

from governance.gateways.check.request_parsing import (
    Request,
    bad_request_error,
    decode_body,
    parse_sequence,
    query_parameters,
)
from stillwatch_gateway.epochs import LONGEST_IDENTIFIER
from stillwatch_gateway.naming import LONGEST_INSTANCE, is_instance_name

LONGEST_WAIT: Final = 25.0
MOST_REPORT_BYTES: Final = 2**20
LONGEST_PROBLEM: Final = 300
MOST_HELD_OVER: Final = 200

# What the database holds, and what a count or a time can be: a report beyond these is refused: its client is broken.
Number = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Count = Annotated[int, msgspec.Meta(ge=1, le=2**40)]
Faults = Annotated[int, msgspec.Meta(ge=0, le=2**40)]
SequenceNumber = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=2**33)]  # since 1970, until 2242
Word = Annotated[str, msgspec.Meta(max_length=40)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=10**9)]


class ReportedRefusal(msgspec.Struct):
    """Refusals of one restriction as a client counts them; seconds since 1970."""

    number: Number
    first: Seconds
    last: Seconds
    count: Count


class CustomerNames(msgspec.Struct):
    """By what the customers of a restriction are known."""

    organisation: list[str] = []
    account: list[str] = []
    key: list[str] = []
    digest: list[str] = []


class ReportedHeldOver(msgspec.Struct):
    """A restriction that a client holds of an epoch before, and the snapshot of this one lacks, as it was published."""

    number: Number
    kind: Word = ""
    against: Word = ""
    reason: Word = ""
    starts: Word | None = msgspec.field(default=None, name="from")
    until: Word | None = None
    requests_per_minute: Limit | None = None
    tokens_per_minute: Limit | None = None
    withheld: Annotated[list[Word], msgspec.Meta(max_length=10)] = []
    names: CustomerNames = msgspec.field(default_factory=CustomerNames)


class ChangesRequest(msgspec.Struct):
    after: SequenceNumber
    instance: str = ""
    wait: float = LONGEST_WAIT
    refusals: list[ReportedRefusal] = []
    faults: Faults = 0
    epoch: Annotated[str, msgspec.Meta(max_length=LONGEST_IDENTIFIER)] = ""
    held_over: Annotated[list[ReportedHeldOver], msgspec.Meta(max_length=MOST_HELD_OVER)] = []
    is_ending: bool = False
    store_problem: Annotated[str, msgspec.Meta(max_length=LONGEST_PROBLEM)] = ""


def read_changes_request(request: Request) -> ChangesRequest:
    """What a request asks whose body, if it has one, has been received. Raises RefusedRequestError."""
    if request.method == "POST":
        asked = decode_body(request, ChangesRequest)
    else:
        given = dict(query_parameters(request.query))
        after = given.get("after") or request.header(b"last-event-id")
        if not after:
            raise bad_request_error("Say after which change: after=N, where a snapshot says N.")
        waits = parse_sequence(given["wait"]) if "wait" in given else LONGEST_WAIT
        epoch = given.get("epoch", "")
        if len(epoch) > LONGEST_IDENTIFIER:
            raise bad_request_error(f"An epoch has at most {LONGEST_IDENTIFIER} characters.")
        asked = ChangesRequest(parse_sequence(after), given.get("instance", ""), waits, epoch=epoch)
    if asked.instance and not is_instance_name(asked.instance):
        raise bad_request_error(f"An instance has at most {LONGEST_INSTANCE} characters, all of them printable.")
    if not asked.store_problem.isprintable():
        raise bad_request_error("A store_problem is one line of printable characters.")
    return asked
