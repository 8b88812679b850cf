"""From a manifest's entry back to a tree's: large attributes and ACLs are read from their chunks. Knows no files."""

from __future__ import annotations

from haulage.engine.content.content_list import Read, read_chunks
from haulage.engine.content.manifest_model import ManifestEntry, ValueRef
from haulage.engine.trees.model import Acl, Attribute, Entry, StreamInfo


def tree_entry(entry: ManifestEntry, read: Read) -> Entry:
    """The entry as trees know it. Raises what ``read`` raises."""
    if not (entry.attributes or entry.acls or entry.streams):  # nearly all
        return Entry(
            path=entry.path,
            type=entry.type,
            size=entry.content.size,
            mode=entry.mode,
            owner=entry.owner,
            mtime_ns=entry.mtime_ns,
            target=entry.target,
            same_as=entry.same_as,
            dos=entry.dos,
        )
    return Entry(
        path=entry.path,
        type=entry.type,
        size=entry.content.size,
        mode=entry.mode,
        owner=entry.owner,
        mtime_ns=entry.mtime_ns,
        target=entry.target,
        same_as=entry.same_as,
        attributes=tuple([Attribute(name=name, value=read_value(value, read)) for name, value in entry.attributes]),
        acls=tuple([Acl(dialect=dialect, value=read_value(value, read)) for dialect, value in entry.acls]),
        streams=tuple([StreamInfo(name=stream.name, size=stream.content.size) for stream in entry.streams]),
        dos=entry.dos,
    )


def read_value(value: ValueRef, read: Read) -> bytes:
    """A value's bytes, wherever they stand."""
    if isinstance(value, bytes):
        return value
    return b"".join([read(chunk) for _length, chunk in read_chunks(value, read)])
