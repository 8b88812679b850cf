"""HDiffPatch's matches with the operands of moved code foretold, and the bytes that still differ.

What is sent: which old ranges stand where (covers), bytes in no cover, a table of moves, one bit for each block whether the table
helps there, and differences as runs with the gaps between them. Knows only bytes; bounds everything by the declared size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from haulage.engine.delta.columns import NUMBER_BYTES, Ints, read_column, write_column
from haulage.engine.delta.covers import Covers
from haulage.engine.delta.hdiff import bad_delta
from haulage.engine.delta.numbers import np, npt
from haulage.engine.delta.operands import FARTHEST, Moves, Octets, learn, operands, put_words, words
from haulage.engine.delta.packing import Effort, pack_lzma, unpack_lzma

BLOCK = 4096
SLAB = 1024 * 1024
"""Operands are looked for in this much at a time, and none reaches from one into the next."""
MOST_DIFFERENCES = 6 * 1024 * 1024
"""With more, the work is not worth its memory."""
MOST_RUN = 16 * 1024
_RUNS = 256
_LEAST_GAIN = 16
"""Foretelling has to put right a sixteenth of the bytes that differ."""
_JOIN = 128
"""Differences as close as this are one run: what lies between costs less than another gap."""
_ROUNDS = 2
_STREAMS = 6
_HEAD = _STREAMS * 2 * NUMBER_BYTES
_SLACK = 1024


def make_predicted(old: bytes, new: bytes, covers: Covers, effort: Effort) -> bytes | None:
    """The encoding, from covers of the same bytes; None where foretelling does not help."""
    literals = covers.literals(new)
    draft = np.frombuffer(covers.draft(old, literals, len(new)), np.uint8)
    target = np.frombuffer(new, np.uint8)
    wrong = int(np.count_nonzero(draft != target))
    if wrong > MOST_DIFFERENCES:
        return None
    moves, helps, saved = _study(draft, target, covers)
    if saved * _LEAST_GAIN < wrong:
        return None
    _foretell(draft, covers, moves, helps)
    facts = [_write_covers(covers), _write_moves(moves), np.packbits(helps).tobytes()]
    gaps, differences = _runs(draft, target)
    streams = [*facts, gaps, literals, differences]
    if not _bearable([len(stream) for stream in streams], len(new)):
        return None
    return seal_streams(streams, effort)


def seal_streams(streams: Sequence[bytes], effort: Effort) -> bytes:
    """The encoding of these six streams: covers, moves, blocks, runs, literals, differences."""
    packed = [pack_lzma(stream, effort) for stream in streams]
    sizes = np.array([[len(a), len(b)] for a, b in zip(streams, packed, strict=True)], "<u4")
    return sizes.tobytes() + b"".join(packed)


def apply_predicted(payload: bytes, old: bytes, size: int) -> bytes:
    """The ``size`` new bytes. Raises FormatError ``bad-delta``."""
    covers_stream, table, bits, gaps, literals, differences = open_streams(payload, size)
    covers = _read_covers(covers_stream, len(old), size)
    if len(literals) != size - int(covers.lengths.sum()) or len(bits) != -(-_blocks(size) // 8):
        raise bad_delta("a stream has another length than what it is for")
    moves = _read_moves(table)
    draft = np.frombuffer(covers.draft(old, literals, size), np.uint8)
    helps = np.unpackbits(np.frombuffer(bits, np.uint8), count=_blocks(size)).astype(np.bool_)
    _foretell(draft, covers, moves, helps)
    _add_runs(draft, gaps, differences)
    return draft.tobytes()


def open_streams(payload: bytes, size: int) -> list[bytes]:
    """The six streams of an encoding of ``size`` bytes. Raises FormatError ``bad-delta``."""
    if len(payload) < _HEAD:
        raise bad_delta("it is shorter than its head")
    sizes = np.frombuffer(payload, "<u4", count=_STREAMS * 2).reshape(_STREAMS, 2).tolist()
    if not _bearable([raw for raw, _ in sizes], size) or sum(packed for _, packed in sizes) != len(payload) - _HEAD:
        raise bad_delta("its streams are longer than they can be")
    streams, at = [], _HEAD
    for raw, packed in sizes:
        streams.append(unpack_lzma(payload[at : at + packed], raw))
        at += packed
    return streams


def _bearable(raw: list[int], size: int) -> bool:
    """Whether streams this long can be what describes ``size`` bytes: the numbers take less room than they are worth."""
    return sum(raw[:4]) <= size // 4 + _SLACK and sum(raw[4:]) <= size


def _blocks(size: int) -> int:
    return -(-size // BLOCK)


def _write_covers(covers: Covers) -> bytes:
    gaps = np.diff(covers.new, prepend=0)
    gaps[1:] -= covers.lengths[:-1]
    jumps = np.diff(covers.old, prepend=0)
    jumps[1:] -= covers.lengths[:-1]
    return write_column(gaps) + write_column(jumps - gaps) + write_column(covers.lengths)


def _read_covers(data: bytes, old_size: int, size: int) -> Covers:
    gaps, jumps, lengths = _thirds(data)
    before = np.cumsum(lengths) - lengths
    covers = Covers(old=np.cumsum(jumps + gaps) + before, new=np.cumsum(gaps) + before, lengths=lengths)
    if len(gaps) and (
        gaps.min() < 0
        or lengths.min() < 1
        or covers.old.min() < 0
        or (covers.old + lengths).max() > old_size
        or int(covers.new[-1] + lengths[-1]) > size
    ):
        raise bad_delta("a range is outside the bytes it is taken from or stands in")
    return covers


def _thirds(data: bytes) -> tuple[Ints, Ints, Ints]:
    third, rest = divmod(len(data), 3)
    if rest:
        raise bad_delta("columns of different lengths")
    return read_column(data[:third]), read_column(data[third : 2 * third]), read_column(data[2 * third :])


def _halves(data: bytes) -> tuple[Ints, Ints]:
    half, rest = divmod(len(data), 2)
    if rest:
        raise bad_delta("columns of different lengths")
    return read_column(data[:half]), read_column(data[half:])


def _write_moves(moves: Moves) -> bytes:
    return write_column(np.diff(moves.targets, prepend=-FARTHEST)) + write_column(np.diff(moves.moves, prepend=0))


def _read_moves(data: bytes) -> Moves:
    targets, moves = _halves(data)
    if len(targets) and targets.min() < 0:
        raise bad_delta("the table of moves is out of order")
    return Moves(targets=np.cumsum(targets) - FARTHEST, moves=np.cumsum(moves))


def _operands(
    draft: Octets, covers: Covers, blocks: npt.NDArray[np.bool_] | None = None
) -> Iterator[tuple[Ints, Ints, Ints, Ints]]:
    """For each slab: places of operands that one cover holds whole, their words, their targets in the old bytes, their shifts.
    ``blocks``: only of these."""
    for start in range(0, len(draft), SLAB):
        at = operands(draft[start : start + SLAB]) + start
        if blocks is not None:
            at = at[blocks[at // BLOCK]]
        shifts, ends = covers.shifts(at)
        held = at + NUMBER_BYTES <= ends
        at, shifts = at[held], shifts[held]
        found = words(draft, at)
        yield at, found, at - shifts + found, shifts


def _study(draft: Octets, target: Octets, covers: Covers) -> tuple[Moves, npt.NDArray[np.bool_], int]:
    """The table of moves, where it saves bytes, and how many."""
    at, found, targets, shifts = (np.concatenate(parts) for parts in zip(*_operands(draft, covers), strict=True))
    wanted = words(target, at)
    moves = at + wanted - targets
    blocks = at // BLOCK
    helps = np.ones(_blocks(len(draft)), np.bool_)
    wrong_before = _wrong_bytes(found, wanted)
    for _ in range(_ROUNDS):
        useful = helps[blocks]
        table = learn(targets[useful], moves[useful])
        wrong_now = _wrong_bytes(found + table.at(targets, shifts) - shifts, wanted)
        saved = np.bincount(blocks, weights=wrong_before - wrong_now, minlength=len(helps))
        helps = saved > 0
    return table, helps, int(saved[helps].sum())


def _wrong_bytes(found: Ints, wanted: Ints) -> Ints:
    other = found ^ wanted
    wrong = np.zeros(len(other), np.int64)
    for byte in range(NUMBER_BYTES):
        wrong += (other >> 8 * byte & 255) != 0
    return wrong


def _foretell(draft: Octets, covers: Covers, moves: Moves, helps: npt.NDArray[np.bool_]) -> None:
    """Put what the table says into the operands of the blocks it helps in."""
    for at, found, targets, shifts in _operands(draft, covers, helps):
        put_words(draft, at, found + moves.at(targets, shifts) - shifts)


def _runs(draft: Octets, target: Octets) -> tuple[bytes, bytes]:
    """Gaps and lengths of the runs that differ, and the differences in them. No run reaches over a multiple of MOST_RUN."""
    wrong = np.flatnonzero(draft != target)
    cuts = np.flatnonzero((np.diff(wrong) > _JOIN) | (np.diff(wrong // MOST_RUN) > 0))
    starts, ends = (
        wrong[np.concatenate([[0], cuts + 1])] if len(wrong) else wrong,
        wrong[np.append(cuts, -1)] + 1 if len(wrong) else wrong,
    )
    lengths = ends - starts
    gaps = starts.copy()
    gaps[1:] -= ends[:-1]
    parts = [(target[at] - draft[at]).tobytes() for at in _places(starts, lengths)]
    return write_column(gaps) + write_column(lengths), b"".join(parts)


def _add_runs(draft: Octets, runs: bytes, differences: bytes) -> None:
    gaps, lengths = _halves(runs)
    if len(gaps) and (gaps.min() < 0 or lengths.min() < 1 or lengths.max() > MOST_RUN):
        raise bad_delta("a run of differences has a length it cannot have")
    if int(gaps.sum() + lengths.sum()) > len(draft) or int(lengths.sum()) != len(differences):
        raise bad_delta("differences reach behind the end, or are too few")
    values, done = np.frombuffer(differences, np.uint8), 0
    for at in _places(np.cumsum(gaps + lengths) - lengths, lengths):
        draft[at] += values[done : done + len(at)]
        done += len(at)


def _places(starts: Ints, lengths: Ints) -> Iterator[Ints]:
    """The places of all bytes in these runs, some thousand runs at a time."""
    for first in range(0, len(starts), _RUNS):
        some, many = starts[first : first + _RUNS], lengths[first : first + _RUNS]
        yield np.repeat(some - (np.cumsum(many) - many), many) + np.arange(int(many.sum()))
