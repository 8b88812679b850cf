"""Freed blocks go back to the system; what a server has loaded is searched for garbage no more."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import sys
from haulage.base.memory import give_back_large_blocks
if sys.argv[1] == "back":
    give_back_large_blocks()
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
large = bytearray(24 << 20)
del large  # from here on the C library would keep blocks of this size
before, kept = resident(), []
for _ in range(8):
    large = bytearray(b"x") * (16 << 20)
    kept.append(bytearray(b"y") * 200_000)
    del large
print((resident() - before) >> 20)
"""


def _grown(how: str) -> int:
    return int(subprocess.run([sys.executable, "-c", _PROGRAM, how], check=True, capture_output=True, text=True).stdout)


def test_large_blocks_do_not_stay_behind_small_ones() -> None:
    assert _grown("back") < 8 <= _grown("kept")


_SET_ASIDE = """
import gc, weakref
from haulage.base.memory import set_aside_what_is_loaded
class Ring:
    def __init__(self):
        self.me = self
gone = weakref.ref(Ring())
loaded = [[number] for number in range(50_000)]
set_aside_what_is_loaded()
later = weakref.ref(Ring())
seen = len(gc.get_objects())
gc.collect()
print(gone() is None, later() is None, gc.get_freeze_count() > 50_000 > seen)
"""


def test_what_is_loaded_is_set_aside_and_later_garbage_is_still_found() -> None:
    said = subprocess.run([sys.executable, "-c", _SET_ASIDE], check=True, capture_output=True, text=True).stdout
    assert said.split() == ["True", "True", "True"]
