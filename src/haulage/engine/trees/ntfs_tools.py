"""Running ntfs-3g's command-line tools, as separate programs, on an image that stays read-only."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from typing import IO

from haulage.base.errors import NotFoundError, Remedy, TransferError

_LONGEST_SECONDS = 3600
_LONGEST_MESSAGE = 400


def fetch_attribute(image: str, number: int, name: bytes | None = None) -> IO[bytes]:
    """The unnamed data of a record of the master file table, or one of its streams, in an unnamed temporary file.

    Raises NotFoundError ``tool-missing``, TransferError ``source-unreadable``."""
    tool = shutil.which("ntfscat")
    if tool is None:
        raise NotFoundError(
            "tool-missing",
            "NTFS images are read with the program ntfscat, which is not installed.",
            "Install the Debian package ntfs-3g.",
            remedy=Remedy.WAIT_FOR_PERSON,
        )
    command: list[str | bytes] = [tool, "-f", "-i", str(number)]
    if name is not None:
        command += ["-n", name]
    spool = tempfile.TemporaryFile(prefix="haulage-ntfs-")  # noqa: SIM115  (it is what is returned)
    try:
        with tempfile.TemporaryFile() as complaints:
            result = subprocess.run(
                [*command, image],
                stdin=subprocess.DEVNULL,
                stdout=spool,
                stderr=complaints,
                env={**os.environ, "LC_ALL": "C.UTF-8"},
                timeout=_LONGEST_SECONDS,
                check=False,
            )
            if result.returncode != 0:
                complaints.seek(0)
                raise _failed(image, complaints.read(_LONGEST_MESSAGE).decode("utf-8", "backslashreplace"))
    except subprocess.TimeoutExpired as error:
        spool.close()
        raise _failed(image, f"no end after {_LONGEST_SECONDS} seconds") from error
    except BaseException:
        spool.close()
        raise
    return spool


def _failed(image: str, why: str) -> TransferError:
    reason = " ".join(why.split()) or "ntfscat gave no reason"
    return TransferError(
        "source-unreadable", f"Cannot read the NTFS image {image!r}: {reason}.", "Check that the file is a whole NTFS volume."
    )
