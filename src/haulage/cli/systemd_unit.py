"""``haulage server unit``: the systemd unit that serves a home, with what the server does not need taken from it."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Annotated

from cyclopts import App, Parameter

from haulage.base.errors import UsageError

app = App(name="server", help="The server as a service of this machine.", help_format="plaintext")

_UNIT = """\
# Made by: haulage server unit
[Unit]
Description=Haulage site server of {home}
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=notify
NotifyAccess=main
User={user}
ExecStart={program} serve --home {home}
# A start may bring a large database up to date first; an end is told to the parent and takes seconds.
TimeoutStartSec=30min
TimeoutStopSec=15
WatchdogSec=60
Restart=on-failure
RestartSec=5
# Wrong arguments or settings, no such home, not allowed: trying again changes nothing.
RestartPreventExitStatus=2 3 8
LimitNOFILE=65536
UMask=0077

ProtectSystem=strict
ReadWritePaths={writable}
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
# MemoryDenyWriteExecute stays out: the sandbox that writes compressed files again translates its code at run time.

[Install]
WantedBy=multi-user.target
"""


@app.command
def unit(
    *,
    home: Annotated[str, Parameter(env_var="HAULAGE_HOME", help="The home to serve; absolute.")],
    user: Annotated[str, Parameter(help="Whom the server runs as; the home must be theirs.")] = "haulage",
    writable: Annotated[tuple[str, ...], Parameter(negative=(), help="Folders of points outside the home; may be repeated.")] = (),
) -> None:
    """Print a systemd unit for a home: it starts with the machine, says when it is ready, is started anew when it hangs, and may
    write nothing but the home and the folders named.

    haulage server unit --home /srv/haulage > /etc/systemd/system/haulage.service

    haulage server unit --home /srv/haulage --writable /srv/points
    """
    sys.stdout.write(unit_text(home=home, user=user, writable=writable, program=_program()))


def unit_text(*, home: str, user: str, writable: tuple[str, ...], program: str) -> str:
    """The unit. Raises UsageError for a path that is not absolute, or that a unit cannot hold."""
    return _UNIT.format(
        home=_quoted(home), user=_word(user), program=_quoted(program), writable=" ".join(map(_quoted, (home, *writable)))
    )


def _program() -> str:
    """The command as it was called, by its path."""
    return os.path.abspath(shutil.which(sys.argv[0]) or shutil.which("haulage") or sys.argv[0])


def _quoted(path: str) -> str:
    if not path.startswith("/") or not path.isprintable() or set(path) & set("\"'\\$"):
        raise UsageError(
            "bad-path",
            f"{path[:200]!r} cannot stand in a unit.",
            "Give an absolute path without quotes, backslashes and dollar signs.",
        )
    plain = path.replace("%", "%%")
    return f'"{plain}"' if set(path) & set(" ;#") else plain


def _word(user: str) -> str:
    if not user or not user.replace("-", "").replace("_", "").isalnum() or user.startswith("-"):
        raise UsageError("bad-user", f"{user[:60]!r} is no name of a user.", "Use letters, digits, - and _.")
    return user
