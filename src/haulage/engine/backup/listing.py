"""The list of a backup: what it is of, which files it has, with their digests; signed by the site's own key. Pure."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, ClassVar

from msgspec import Meta

from haulage.base.clock import parse_iso
from haulage.base.errors import FormatError
from haulage.engine.protocol.codec import Body, Document, decode
from haulage.engine.protocol.fields import Count, Digest, Key, Label, Moment, Name, Site
from haulage.engine.trust import dsse
from haulage.engine.trust.keys import PublicKey, SigningKey

LIST = "backup.json"
DATABASE = "site.db"
SECRETS = "secrets"
"""The folder of secrets in clear: what is below it lies in the home below the same names."""
SEALED = "secrets.sealed"
CONTENT = "content"
FILES_MAX = 1_000_000
LIST_MAX_BYTES = 256 * 1024 * 1024

_Path = Annotated[str, Meta(pattern=r"\A(?!.*(?:\A|/)\.\.?(?:/|\Z))[A-Za-z0-9._-]{1,255}(?:/[A-Za-z0-9._-]{1,255}){0,8}\Z")]


class BackupFile(Body, frozen=True, kw_only=True):
    """One file, by its path below the backup's folder."""

    path: _Path
    size: Count
    sha256: Digest


class BackupList(Document, frozen=True, kw_only=True):
    """What a backup holds."""

    PAYLOAD_TYPE: ClassVar[str] = "application/vnd.haulage.backup+json"

    site: Site
    name: Name = ""
    key: Key
    """The site's own key at that time: who signed this."""
    taken: Moment
    program: Name
    """The version of Haulage that made it."""
    tables: Label
    """The kind of database it was taken from: ``sqlite`` or ``postgresql``."""
    epoch: Count
    sealed: bool
    """Whether the secrets are under a passphrase."""
    content: bool
    """Whether the content store is in it."""
    counts: dict[Label, Count]
    """Packages, versions, sites, points, … at that moment."""
    files: Annotated[tuple[BackupFile, ...], Meta(max_length=FILES_MAX)]

    @property
    def moment(self) -> dt.datetime:
        """When it was taken."""
        return parse_iso(self.taken)

    @property
    def size_bytes(self) -> int:
        """All files together."""
        return sum(file.size for file in self.files)


def sign_list(listed: BackupList, key: SigningKey) -> bytes:
    """The document that lies in the backup."""
    return dsse.sign_document(listed, key)


def read_list(data: bytes) -> BackupList:
    """The list, if the key it names signed it: damage and careless changes are found, but whose key that is the reader must judge.
    Raises FormatError, IntegrityError ``bad-signature``."""
    peeked = decode(dsse.peek(data, BackupList.PAYLOAD_TYPE, max_bytes=LIST_MAX_BYTES), BackupList, max_bytes=LIST_MAX_BYTES)
    dsse.verify(data, BackupList.PAYLOAD_TYPE, [PublicKey.parse(peeked.key)], max_bytes=LIST_MAX_BYTES)
    paths = [file.path for file in peeked.files]
    if len(set(paths)) != len(paths):
        raise FormatError("bad-backup", "The list of the backup names a file twice.", "Take another backup.")
    return peeked
