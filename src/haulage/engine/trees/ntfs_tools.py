"""Running ntfs-3g's command-line tools, as separate programs, on an image that stays read-only."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import subprocess
import tempfile
from typing import IO

from haulage.base.errors import NotFoundError, Remedy, TransferError

_LONGEST_SECONDS = 3600
_LONGEST_MESSAGE = 400
_TOO_SLOW = -1


def fetch_attribute(image: str, number: int, most_bytes: int, name: bytes | None = None) -> IO[bytes]:
    """The unnamed data of a record of the master file table, or one of its streams, in an unnamed temporary file.

    Raises NotFoundError ``tool-missing``, TransferError ``source-unreadable`` (also for more than ``most_bytes``)."""
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
            if _run([*command, image], spool, complaints, most_bytes) != 0:
                complaints.seek(0)
                raise _failed(image, complaints.read(_LONGEST_MESSAGE).decode("utf-8", "backslashreplace"))
    except BaseException:
        spool.close()
        raise
    return spool


def _run(command: list[str | bytes], spool: IO[bytes], complaints: IO[bytes], most_bytes: int) -> int:
    """Run to the end, with the size of what it writes limited by the kernel."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=spool, stderr=complaints, env=environment) as process:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
        try:
            return process.wait(_LONGEST_SECONDS)
        except subprocess.TimeoutExpired:
            return _TOO_SLOW
        finally:
            process.kill()


def _failed(image: str, why: str) -> TransferError:
    reason = " ".join(why.split()) or "ntfscat stopped without a reason"
    return TransferError(
        "source-unreadable", f"Cannot read the NTFS image {image!r}: {reason}.", "Check that the file is a whole NTFS volume."
    )
