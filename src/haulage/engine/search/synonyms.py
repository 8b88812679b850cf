"""Words that mean the same to an administrator: short forms, old and new names, British and American spelling. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

# A line holds words for one thing; what has a space is looked for as a phrase. Only single words are looked up.
_GROUPS = """
dp|distribution point
dps|distribution points
cap|client access point
caps|client access points
ccm|client configuration manager
ccim|client component installation manager
apm|advertised programs manager
pcm|package command manager
pgc|program group control
ddm|discovery data manager
hrp|hotfix rollup package
wmi|windows management
dc|domain controller
dcs|domain controllers
pdc|primary domain controller
bdc|backup domain controller
mmc|management console
nt|windows nt
nt4|windows nt 4.0
win2k|w2k|win2000|windows 2000
winxp|xp|windows xp
win95|windows 95
win98|windows 98
win9x|windows 95|windows 98
wfw|windows for workgroups
sp1|service pack 1
sp2|service pack 2
sp3|service pack 3
sp4|service pack 4
rtm|release version
qfe|patch|hotfix|fix|update
ad|active directory
ip|internet protocol
ipsec|ip security
tcp|transmission control protocol
udp|user datagram protocol
kb|article
os|operating system
gui|user interface
db|database|sql
dos|ms-dos
wan|slow link
modem|ras|dial-up
login|logon|log on|sign in|logged on
reboot|restart
hang|freeze|stops responding
crash|access violation|fault|exception
bluescreen|blue screen|stop error
slow|performance|delay
cpu|processor
ram|memory
folder|directory
share|shared folder
temp|temporary
pc|machine|computer|workstation
agent|client
push|remote installation
helpdesk|help desk
takeover|remote control
sniffer|network monitor
metering|licensing
advert|advertisement|offer
forced|mandatory|assigned
recurring|reoccurring|schedule
central|parent
uninstall|remove|deinstall
delete|remove
deploy|distribute|install
copy|replicate
started|launched|run
repeatedly|loop|multiple times
grey|greyed|gray|grayed|dimmed|unavailable
licence|license
blank|empty|space
hidden|behind|invisible
cut|truncated
wrong|incorrect
broken|corrupt|damaged
denied|rejected|refused|restricted
missing|lost|disappears|not found|does not appear
huge|large|grows
rights|permission|privileges
password|credentials
traffic|bandwidth
picture|screen|display|video
label|name|title
box|field|dialog
novell|netware
mac|macintosh
spreadsheet|excel
"""

_BRITISH = ((re.compile(r"is(e|ed|es|er|ers|ing|ation|ations)$"), r"iz\1"), (re.compile(r"our(s|ed|ing)?$"), r"or\1"))


def _by_word() -> dict[str, tuple[str, ...]]:
    table: dict[str, list[str]] = {}
    for line in _GROUPS.strip().splitlines():
        group = line.split("|")
        for word in group:
            if " " not in word:
                table.setdefault(word, []).extend(other for other in group if other != word)
    return {word: tuple(others) for word, others in table.items()}


_SYNONYMS = _by_word()


def synonyms(word: str) -> tuple[str, ...]:
    """Other words and phrases for a lower-case word; mostly none."""
    return _SYNONYMS.get(word, ())


def spellings(word: str) -> Iterator[str]:
    """How an American writes it."""
    for pattern, replaced in _BRITISH:
        other, changed = pattern.subn(replaced, word)
        if changed:
            yield other
