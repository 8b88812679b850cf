"""numpy, without the threads that its linear algebra starts at once: nothing here needs them, and a start takes twice as long."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # it looks there when it is loaded

import numpy as np
import numpy.typing as npt

__all__ = ["np", "npt"]
