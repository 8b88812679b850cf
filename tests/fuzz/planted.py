"""Targets with faults put in on purpose: the machinery must find each."""

from __future__ import annotations

import os

from haulage.base.errors import FormatError
from haulage.testing.fuzzing.target import Target

_held: list[bytearray] = []


def _escape(data: bytes) -> None:
    if len(data) > 2 and data[0] == 0x48 and data[1] == 0x4C:
        raise KeyError("escaped")
    raise FormatError("planted", "Refused.")


def _hoard(data: bytes) -> None:
    if data[:1] == b"m":
        _held.append(bytearray(os.urandom(1 << 20) * 80))
    _held.clear()


def _devour(data: bytes) -> None:
    if data[:1] == b"m":
        bytearray(8 << 30)


def _dawdle(data: bytes) -> None:
    if data[:1] == b"s":
        sum(number * number for number in range(40_000_000))


def _die(data: bytes) -> None:
    if data[:1] == b"d":
        os.abort()


escape = Target(name="escape", reads="", take=_escape, seeds=lambda: [b"HL", b"HK..", b"x"], runs=5_000)
hoard = Target(name="hoard", reads="", take=_hoard, seeds=lambda: [b"m"], runs=10)
devour = Target(name="devour", reads="", take=_devour, seeds=lambda: [b"m"], runs=10)
dawdle = Target(name="dawdle", reads="", take=_dawdle, seeds=lambda: [b"s"], runs=1)
die = Target(name="die", reads="", take=_die, seeds=lambda: [b"d"], runs=10)
PLANTED = (escape, hoard, devour, dawdle, die)
