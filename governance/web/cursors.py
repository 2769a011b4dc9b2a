"""Where the next page of a list begins."""


class CursorNotFoundError(Exception):
    """The row after which the page should begin is not in the list."""
