"""Copying one tree into another place, holes kept: for demonstrations and tests, and the shortest use of the two interfaces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from haulage.engine.trees.model import Content, Entry, EntryType, Omission, TreeReader, TreeWriter

_SEGMENT_BYTES = 1 << 20


def copy_tree(reader: TreeReader, writer: TreeWriter) -> Sequence[Omission]:
    """Copy everything and finish; on any error the writer is abandoned and the error raised."""
    try:
        for entry in reader.entries():
            if writer.add(entry):
                continue
            if entry.type is EntryType.FILE and entry.same_as is None and entry.size:
                _copy_content(reader, entry, None, writer)
            for stream in entry.streams:
                if stream.size:
                    _copy_content(reader, entry, stream.name, writer)
        return writer.finish()
    except BaseException:
        writer.abandon()
        raise


def _copy_content(reader: TreeReader, entry: Entry, stream: bytes | None, writer: TreeWriter) -> None:
    content = reader.open(entry, stream)
    try:
        for start, end in _data_ranges(content):
            for offset in range(start, end, _SEGMENT_BYTES):
                writer.write(entry.path, stream, offset, content.read_at(offset, min(_SEGMENT_BYTES, end - offset)))
    finally:
        content.close()


def _data_ranges(content: Content) -> Iterator[tuple[int, int]]:
    position = 0
    for hole in content.holes():
        if hole.offset > position:
            yield position, hole.offset
        position = hole.offset + hole.size
    if position < content.size:
        yield position, content.size
