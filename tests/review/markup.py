"""Reading a page as assistive technology does: its headings, and which fields have no name."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

NAMELESS = {"hidden", "submit", "button"}


@dataclass
class Outline:
    headings: list[int] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    unlabelled: list[str] = field(default_factory=list)
    styled: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.outline = Outline()
        self.labels: set[str] = set()
        self.fields: list[dict[str, str]] = []
        self.inside_label = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in {"h1", "h2", "h3", "h4", "h5", "h6"}:
            self.outline.headings.append(int(tag[1]))
        if "style" in given or tag == "style":
            self.outline.styled.append(self.get_starttag_text() or tag)
        if "id" in given:
            self.outline.ids.append(given["id"])
        if tag == "label":
            self.inside_label += 1
            self.labels.add(given.get("for", ""))
        if tag in {"input", "select", "textarea"} and given.get("type") not in NAMELESS and not self.inside_label:
            self.fields.append(given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "label":
            self.inside_label -= 1


def outline(html: str) -> Outline:
    reader = _Reader()
    reader.feed(html)
    found = reader.outline
    found.unlabelled = [
        given.get("name", "?")
        for given in reader.fields
        if given.get("id") not in reader.labels and "aria-label" not in given
    ]
    return found
