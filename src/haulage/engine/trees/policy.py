"""Applying a package's read policy to each entry, and remembering what it dropped. Knows no kind of place."""

from __future__ import annotations

import fnmatch
import re

from msgspec.structs import replace

from haulage.base.errors import FormatError, Remedy
from haulage.engine.trees.model import Entry, Omission, ReadPolicy, StreamAction, StreamInfo
from haulage.engine.trees.paths import shown

_SPECIAL = 0o7000


class PolicyFilter:
    """One reading of one tree: changes entries as the policy says and lists every change."""

    def __init__(self, policy: ReadPolicy) -> None:
        self._policy = policy
        self.dropped: list[Omission] = []
        self._patterns = [re.compile(fnmatch.translate(p.casefold())) for p in policy.drop_patterns]

    def apply(self, entry: Entry) -> Entry:
        """The entry as the package holds it. Raises FormatError ``stream-refused``."""
        if entry.streams:
            entry = self._streams(entry)
        if entry.mode is not None and entry.mode & _SPECIAL and not self._policy.keep_special_bits:
            self.omit(entry.path, "mode-bits", f"{entry.mode & _SPECIAL:04o}")
            entry = replace(entry, mode=entry.mode & ~_SPECIAL)
        return entry

    def omit(self, path: bytes, what: str, detail: str) -> None:
        """List one thing that the package will not hold."""
        self.dropped.append(Omission(path=path, what=what, detail=detail))

    def _streams(self, entry: Entry) -> Entry:
        if self._policy.streams is StreamAction.KEEP:
            return entry
        if self._policy.streams is StreamAction.REFUSE:
            raise FormatError(
                "stream-refused",
                f"{shown(entry.path, entry.streams[0].name)} is a named stream, and this package refuses streams.",
                "Remove the stream at the source, or make the package anew with --streams keep or drop:PATTERN.",
                remedy=Remedy.WAIT_FOR_PERSON,
            )
        kept = tuple(stream for stream in entry.streams if not self._drops(stream))
        for stream in entry.streams:
            if stream not in kept:
                self.omit(entry.path, "stream", stream.name.decode("utf-8", "backslashreplace"))
        return replace(entry, streams=kept)

    def _drops(self, stream: StreamInfo) -> bool:
        name = stream.name.decode("utf-8", "surrogateescape").casefold()
        return any(pattern.match(name) for pattern in self._patterns)
