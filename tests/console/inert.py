"""What a page of the console may hold, whatever it shows: nothing that runs or is loaded but this server's own files."""

from __future__ import annotations

from html.parser import HTMLParser

NEVER = {"style", "iframe", "object", "embed", "base", "img", "video", "audio", "template"}


class Seen(HTMLParser):
    """The elements and attributes of a page, and the words between."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.scripts: list[dict[str, str]] = []
        self.script_words: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag == "script":
            self.scripts.append({name: value or "" for name, value in attrs})
            self._in_script = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._in_script = False

    def handle_data(self, data: str) -> None:
        (self.script_words if self._in_script else self.words).append(data)


def seen(html: str) -> Seen:
    """Read a page."""
    parser = Seen()
    parser.feed(html)
    parser.close()
    return parser


def assert_own_page(html: str) -> Seen:
    """Nothing inline runs, nothing foreign is loaded, no link leads where a browser would run something."""
    found = seen(html)
    assert not NEVER & set(found.tags)
    assert not "".join(found.script_words).strip()
    for script in found.scripts:
        assert set(script) == {"src", "defer"}, script
        assert script["src"].startswith("/console/"), script
    for name, value in found.attributes:
        assert not name.startswith("on"), (name, value)
        assert name not in ("style", "srcset", "formaction"), (name, value)
        if name == "src":
            assert value.startswith("/console/"), value
        if name in ("href", "action", "hx-sse:connect"):
            assert value.startswith(("/", "#", "https://", "http://", "mailto:", "?")), value
            assert not value.startswith("//"), value
    return found
