"""numpy comes without threads of its own."""

from __future__ import annotations

import os
import subprocess
import sys

_PROGRAM = "import os, haulage.engine.delta.encoding; print(len(os.listdir('/proc/self/task')))"


def test_loading_the_encoders_starts_no_thread() -> None:
    plain = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    assert subprocess.run([sys.executable, "-c", _PROGRAM], check=True, capture_output=True, text=True, env=plain).stdout == "1\n"
