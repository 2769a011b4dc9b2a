"""The seller's ids in addresses of pages. Pure.

Such an id may hold any character: slashes, spaces, letters of any script. In an address it is always one segment of
the path: as it is where it consists of letters that nothing on the way changes, else as `~` and its Base64.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

ENCODED: Final = "~"
# Browsers and proxies resolve the segments "." and "..", and read "%2F" as a slash.
_PLAIN: Final = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._:@+=-]+")


def encode_external_id(external_id: str) -> str:
    """Return an id as a segment of a path.

    >>> encode_external_id("acct_1042"), encode_external_id("eu/1042")
    ('acct_1042', '~ZXUvMTA0Mg')
    """
    if _PLAIN.fullmatch(external_id):
        return external_id
    return ENCODED + urlsafe_b64encode(external_id.encode()).decode().rstrip("=")


def decode_external_id(segment: str) -> str:
    """Return the id that a segment of a path holds. Raises ValueError where it holds none."""
    if not segment.startswith(ENCODED):
        return segment
    text = segment.removeprefix(ENCODED)
    external_id = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    if not external_id or "\0" in external_id:
        raise ValueError("It holds no id.")
    return external_id


class ExternalIdConverter:
    """`<external:name>` in a route: an id of the seller's."""

    regex = "[^/]+"

    def to_python(self, value: str) -> str:
        return decode_external_id(value)

    def to_url(self, value: object) -> str:
        return encode_external_id(str(value))
