"""What users and tokens may be called, and what is no password. Pure."""

from __future__ import annotations

import re
import unicodedata

from haulage.base.errors import UsageError
from haulage.domain.people.model import LOCAL_ADMINISTRATOR

USER_MAX = 64
SHOWN_MAX = 200
PASSWORD_MIN = 12
PASSWORD_MAX = 256
_USER = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
_RESERVED = frozenset({LOCAL_ADMINISTRATOR, "haulage", "nobody", "token"})
_WORST = frozenset(
    re.split(
        " ",
        "000000000000 111111111111 121212121212 123123123123 123456123456 123456789012 1234567890123 12345678901234 "
        "1234567890abc 1234567891011 123456789123 123456789abc 1234qwerasdf 123qwe123qwe 1q2w3e4r5t6y 1q2w3e4r5t6y7u8i "
        "1qaz2wsx3edc 1qaz2wsx3edc4rfv aaaaaaaaaaaa abc123abc123 abcabcabcabc abcd1234abcd abcdefghijkl "
        "abcdefghijklmnop adminadminadmin administrator administrator1 asdfasdfasdf asdfghjklqwerty changemechangeme "
        "changemenow1 correcthorsebatterystaple defaultpassword donotchangeme haulagehaulage iloveyouiloveyou "
        "letmeinletmein letmeinplease masterpassword mypassword123 mypasswordis1 newpassword1 p@ssw0rdp@ssw0rd "
        "passw0rdpassw0rd password1234 password12345 password123456 passwordpassword passwort1234 qazwsxedcrfv "
        "qwerasdfzxcv qwerty123456 qwertyqwerty qwertyuiop12 qwertyuiop123 qwertyuiopas qwertyuiopasdfgh secretsecret "
        "temporarypassword test12345678 testpassword testtesttest welcome12345 welcomewelcome zaq12wsxcde3",
    )
)
"""Of those with enough characters, the ones that are tried first."""


def user_name(text: str) -> str:
    """A user's name as it is kept: small letters of ASCII, so that no two look alike. Raises UsageError ``bad-user-name``."""
    name = sought_name(text)
    if not name:
        raise UsageError(
            "bad-user-name",
            "That is not a name for a user.",
            f"Use 1 to {USER_MAX} letters a to z, digits and . _ - @ +, starting with a letter or digit.",
        )
    if name in _RESERVED:
        raise UsageError("bad-user-name", f"The name {name} is taken by Haulage itself.", "Choose another one.")
    return name


def sought_name(text: str) -> str:
    """The name of a user somebody means; "" for what cannot be one, and need not be looked for."""
    name = text.strip(" ").lower() if len(text) <= 4 * USER_MAX and text.isascii() else ""
    return name if _USER.fullmatch(name) else ""


def shown_name(text: str, what: str = "A name") -> str:
    """A name for people: any letters, on one line. Raises UsageError ``bad-name``."""
    name = unicodedata.normalize("NFC", text.strip(" ")) if len(text) <= 4 * SHOWN_MAX else text
    if len(name) > SHOWN_MAX or not name.isprintable():
        raise UsageError("bad-name", f"{what} is one line of up to {SHOWN_MAX} printable characters.", "Choose another one.")
    return name


def check_password(password: str, user: str) -> None:
    """Whether somebody may have this password; nothing is asked of it but length, and that it is not what others try first. Raises
    UsageError ``bad-password``."""
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        raise _bad(f"has {PASSWORD_MIN} to {PASSWORD_MAX} characters", "A few words that do not belong together are easy to keep.")
    plain = unicodedata.normalize("NFKC", password)
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in plain):
        raise _bad("holds no line ends or other control characters", "Type it anew.")
    folded = plain.casefold()
    if user and (folded.strip() == user or _left(folded, user) < PASSWORD_MIN // 2):
        raise _bad("is not the name of its user with a little around it", "Choose another one.")
    if folded.strip() in _WORST or len(set(folded)) < 4:
        raise _bad("is not one of those that are tried first", "Choose another one.")


def _left(folded: str, user: str) -> int:
    """How much remains of a password without the name of its user."""
    return len(folded.replace(user, "")) if len(user) >= 3 and user in folded else len(folded)


def _bad(rule: str, hint: str) -> UsageError:
    return UsageError("bad-password", f"A password {rule}.", hint)
