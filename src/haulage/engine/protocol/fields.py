"""The one schema of field types and text limits: whatever enters a wire document was bounded here. Pure; knows no document."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from haulage.base.ids import GroupName, PackageId, Place, SiteCode, VersionNumber

NAME_MAX = 256
"""Characters in a name; any character but a lone surrogate may stand in it."""
TEXT_MAX = 4096
"""Characters in a free text."""
URL_MAX = 2048
PEM_MAX = 16_384
ITEMS_MAX = 100_000
"""Places in one list."""
INTEGER_MAX = 2**63 - 1

Count = Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
"""A number, size in bytes or sequence: never negative, never beyond 2^63 - 1."""
Site = Annotated[SiteCode, Meta(pattern=r"\A[A-Z0-9]{3}\Z")]
Package = Annotated[PackageId, Meta(pattern=r"\A[A-Z0-9]{3}[0-9A-F]{5}\Z")]
Version = Annotated[VersionNumber, Meta(ge=0, le=999_999_999)]
"""A version number, or 0 for none."""
RealVersion = Annotated[VersionNumber, Meta(ge=1, le=999_999_999)]
Where = Annotated[Place, Meta(pattern=r"\A[A-Z0-9]{3}(/[A-Za-z0-9][A-Za-z0-9._-]{0,62})?\Z")]
PointPlace = Annotated[Place, Meta(pattern=r"\A[A-Z0-9]{3}/[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")]
Group = Annotated[GroupName, Meta(pattern=r"\A[a-z0-9][a-z0-9-]{0,62}\Z")]
Digest = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
"""32 bytes as 64 lower-case hexadecimal digits; the field's name tells BLAKE3 from SHA-256."""
Key = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=\Z")]
"""A raw 32-byte Ed25519 public key in base64."""
_YEAR = r"(?!0000)[0-9]{4}"
_LEAP_YEAR = r"([0-9]{2}(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)"
_DAY = (
    rf"({_YEAR}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
    rf"|{_LEAP_YEAR}-02-29)"
)
Moment = Annotated[str, Meta(pattern=rf"\A{_DAY}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{{6}})?Z\Z")]
"""ISO 8601 in UTC with a Z; a moment that the calendar has, so that whoever reads it later does not stumble."""
Word = Annotated[str, Meta(pattern=r"\A[a-z][a-z0-9-]{0,63}\Z")]
"""A kebab-case code: kind, state, reason, error code."""
Label = Annotated[str, Meta(pattern=r"\A([a-z][a-z0-9-]{0,63})?\Z")]
"""A Word, or empty for none."""
Name = Annotated[str, Meta(max_length=NAME_MAX)]
Text = Annotated[str, Meta(max_length=TEXT_MAX)]
Url = Annotated[str, Meta(min_length=1, max_length=URL_MAX)]
Pem = Annotated[str, Meta(max_length=PEM_MAX)]
Token = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_.:/-]{1,256}\Z")]
"""An object id or message key: printable, no blanks."""
Nonce = Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z")]
"""16 random bytes as lower-case hexadecimal digits."""
