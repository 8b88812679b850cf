"""Reading many articles in a process beside this one: another processor does it, and a hostile article can end no more than that.
Run as a module it is that process: batches come in, readings go out."""

from __future__ import annotations

import resource
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import IO

import msgspec

from haulage.base.errors import FAMILIES, FormatError, HaulageError, TransferError
from haulage.engine.articles.archive import Found
from haulage.engine.articles.reading import Reading, read

BATCH_BYTES = 1 << 20
"""While one batch is read, the one before it is worked on."""
MOST_PROCESS_BYTES = 1 << 30
"""Address space of the other process; reading the longest article takes a fraction of it."""
_LENGTH = struct.Struct(">I")
_COMMAND = (sys.executable, "-I", "-m", "haulage.engine.articles.read_ahead")


class Read(Found, frozen=True, kw_only=True):
    """A file that was read already."""

    reading: Reading


class _Request(msgspec.Struct, frozen=True, array_like=True):
    name: str
    data: bytes


class _Answer(msgspec.Struct, frozen=True, array_like=True):
    """A reading, or family, code, message and hint of a refusal."""

    reading: Reading | None = None
    refusal: tuple[str, str, str, str] | None = None


_requests = msgspec.msgpack.Decoder(list[_Request])
_answers = msgspec.msgpack.Decoder(list[_Answer])


def read_ahead(found: Iterator[Found], known: Callable[[bytes], bool] = lambda _data: False) -> Iterator[Found]:
    """Pass files on in order, each read or refused; what is ``known`` by its bytes as it is. An article that ends the other process
    is refused with ``article-ends-reader`` and the rest is read on.

    Raises what ``found`` raises, after everything that came before it; TransferError ``no-reader`` if no process can be started."""
    reader = _Reader()
    try:
        before: list[Found] = []
        for batch in _batches(found, known):
            answered = reader.finished(before)
            reader.begin(batch)
            yield from answered
            before = batch
        yield from reader.finished(before)
    finally:
        reader.close()


class _Known(Found, frozen=True, kw_only=True):
    """Not to be read."""


class _Reader:
    """The other process. It is given a batch, reads all of it, and answers when it is asked: never do both sides write."""

    def __init__(self) -> None:
        self._process = _started()

    def begin(self, batch: list[Found]) -> None:
        """Have a batch read."""
        requests = [_Request(one.name, one.data) for one in batch if _is_read(one)]
        pipe = self._process.stdin
        assert pipe is not None
        try:
            _send(pipe, msgspec.msgpack.encode(requests))
        except BrokenPipeError:
            pass  # it ended; who asks for the answers will see

    def finished(self, batch: list[Found]) -> list[Found]:
        """The batch that was begun, read."""
        if not batch:
            return []
        wanted = [one for one in batch if _is_read(one)]
        answers = self._answers()
        found = iter(map(_told, wanted, answers) if answers is not None else map(self._alone, wanted))
        return [next(found) if _is_read(one) else one for one in batch]

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.communicate()

    def _alone(self, one: Found) -> Found:
        """Read one article of a batch that ended the process: it may be the one."""
        self._again()
        self.begin([one])
        answers = self._answers()
        if answers is not None:
            return _told(one, answers[0])
        why = FormatError("article-ends-reader", f"Reading {one.name} ended the process that read it.", "Look at it with a pager.")
        return Found(name=one.name, refused=why)

    def _again(self) -> None:
        if self._process.poll() is not None:
            self.close()
            self._process = _started()

    def _answers(self) -> list[_Answer] | None:
        """None if the process ended."""
        pipe = self._process.stdout
        assert pipe is not None
        data = _receive(pipe)
        if data is None:
            self._process.wait()
            return None
        return _answers.decode(data)


def _is_read(one: Found) -> bool:
    return one.refused is None and not isinstance(one, _Known)


def _batches(found: Iterator[Found], known: Callable[[bytes], bool]) -> Iterator[list[Found]]:
    """What comes before an error of the source is a batch of its own."""
    batch: list[Found] = []
    size = 0
    try:
        for one in found:
            batch.append(_Known(name=one.name, data=one.data) if one.refused is None and known(one.data) else one)
            size += len(one.data)
            if size >= BATCH_BYTES:
                yield batch
                batch, size = [], 0
    except HaulageError:
        if batch:
            yield batch
            batch = []
        yield []
        raise
    if batch:
        yield batch


def _told(one: Found, answer: _Answer) -> Found:
    if answer.reading is not None:
        return Read(name=one.name, data=one.data, reading=answer.reading)
    family, *words = answer.refusal or ("format", "not-an-article", f"{one.name!r} cannot be read.", "")
    return Found(name=one.name, refused=FAMILIES[family](*words))


def _started() -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(_COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    except OSError as error:
        raise TransferError("no-reader", f"No process can be started to read articles: {error.strerror}.", "Try again.") from None


def _send(pipe: IO[bytes], data: bytes) -> None:
    pipe.write(_LENGTH.pack(len(data)) + data)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes | None:
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    length = _LENGTH.unpack(head)[0]
    data = pipe.read(length)
    return data if len(data) == length else None


def _answer(request: _Request) -> _Answer:
    try:
        return _Answer(reading=read(request.data, request.name))
    except HaulageError as error:
        return _Answer(refusal=(error.family, error.code, error.message, error.hint))


def main() -> None:
    """Answer batches until there are no more. Ends with the process that started it, not by its Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_PROCESS_BYTES, MOST_PROCESS_BYTES))
    while (data := _receive(sys.stdin.buffer)) is not None:
        _send(sys.stdout.buffer, msgspec.msgpack.encode([_answer(one) for one in _requests.decode(data)]))


if __name__ == "__main__":
    main()
