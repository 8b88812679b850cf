"""One zlib for all machines, in a sandbox: WebAssembly built from ``pinned_zlib/``. It makes the bytes of zlib, of Chromium's zlib
(Node, npm) and of GNU gzip. Knows raw deflate streams alone."""

from __future__ import annotations

import atexit
import enum
import functools
import importlib.resources
import importlib.util
import threading
import weakref
from typing import Any

from haulage.base.errors import TransferError

PIECE_BYTES = 256 * 1024
_LIMITS = "Allow the process more address space: each sandbox reserves 4 GiB of it, and uses two MiB."


class Family(enum.IntEnum):
    """Writers of deflate streams that differ from one another. The numbers are part of the format."""

    ZLIB = 0
    CHROMIUM = 1
    """It looks for repeats of four bytes at least."""
    GNU_GZIP = 2
    """It ends blocks early that pack well, and keeps more symbols in one than its hash table would suggest."""


@functools.cache
def available() -> bool:
    """Whether the sandbox is installed here. Asked for each stream, and looking for a package takes half a millisecond."""
    return importlib.util.find_spec("wasmtime") is not None


class PinnedPacker:
    """Packs one raw stream. Raises ValueError for parameters it cannot have."""

    def __init__(self, level: int, memory: int, strategy: int, window: int, family: int) -> None:
        if any(not 0 <= number < 1 << 16 for number in (level, memory, strategy, window, family)):
            raise ValueError("a parameter is out of range")
        self._instance: _Instance | None = _take()
        self._leave = weakref.finalize(self, _idle.append, self._instance)
        self._leave.atexit = False
        if self._instance.start(level, memory, strategy, window, family):
            raise ValueError("zlib refuses the parameters")

    def compress(self, data: bytes, /) -> bytes:
        """What of the stream is ready."""
        if len(data) <= PIECE_BYTES:
            return self._running().pack(data, end=False)
        pieces = (data[at : at + PIECE_BYTES] for at in range(0, len(data), PIECE_BYTES))
        return b"".join([self._running().pack(piece, end=False) for piece in pieces])

    def flush(self) -> bytes:
        """The rest of the stream."""
        stored = self._running().pack(b"", end=True)
        self._instance = None
        self._leave()
        return stored

    def _running(self) -> _Instance:
        if self._instance is None:
            raise ValueError("the stream has ended")
        return self._instance


class _Instance:
    """A sandbox of two MiB; for one thread at a time."""

    def __init__(self) -> None:
        wasmtime, engine, module = _module()
        self._store = wasmtime.Store(engine)
        try:
            exports = wasmtime.Instance(self._store, module, []).exports(self._store)
        except wasmtime.WasmtimeError as error:
            raise TransferError("no-sandbox", f"The sandbox that packs archives does not start: {error}.", _LIMITS) from error
        self._start, self._pack, self._memory = exports["start"], exports["pack"], exports["memory"]
        self._input: int = exports["input_at"](self._store)
        self._output: int = exports["output_at"](self._store)

    def start(self, *numbers: int) -> int:
        result: int = self._start(self._store, *numbers)
        return result

    def pack(self, data: bytes, *, end: bool) -> bytes:
        self._memory.write(self._store, data, self._input)
        size: int = self._pack(self._store, len(data), int(end))
        if size < 0:
            raise ValueError("the sandbox refuses its input")
        return bytes(self._memory.read(self._store, self._output, self._output + size))


_idle: list[_Instance] = []
"""As many as were ever used at the same time. They come back however a packer ends: left to the collector they would pile up."""
_once = threading.Lock()
atexit.register(_idle.clear)


def _take() -> _Instance:
    try:
        return _idle.pop()
    except IndexError:
        return _Instance()


def _module() -> tuple[Any, Any, Any]:
    with _once:
        return _loaded()


@functools.cache
def _loaded() -> tuple[Any, Any, Any]:
    import wasmtime  # a tenth of a second, and as much again to compile

    code = importlib.resources.files(__package__).joinpath("pinned_zlib/pinned_zlib.wasm").read_bytes()
    engine = wasmtime.Engine()
    atexit.register(_loaded.cache_clear)
    return wasmtime, engine, wasmtime.Module(engine, code)
