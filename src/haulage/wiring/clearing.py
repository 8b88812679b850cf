"""What durable writes that were killed left in a home: half a settings file, half a key. Cleared by who has the home to itself."""

from __future__ import annotations

import os

from haulage.base.files import clear_unfinished
from haulage.wiring.home import Home


def clear_home(home: Home) -> None:
    """Remove it. Nobody else may be using the home."""
    for folder in (home.path, home.file("keys"), home.file("trust"), home.file("run"), os.path.join(home.content, "hints")):
        clear_unfinished(folder)
