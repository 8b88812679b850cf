"""A few articles of our own making, small enough to know by heart."""

from __future__ import annotations

from haulage.engine.search.model import Entry

PRESS = "Haulage Press"
LOOM = "Haulage Loom"


def entry(id: str, title: str, problem: str = "", **others: object) -> Entry:
    """An entry with a digest of its own."""
    return Entry(**{"id": id, "digest": f"d-{id}", "title": title, "problem": problem, **others})  # type: ignore[arg-type]


SAMPLES = (
    entry(
        "Q500001",
        "Press stops with error 998 while it compresses",
        "The distribution manager logs Win32 Error = 998 when a source file has alternate data streams.",
        rest="Copy the files to a volume without streams and back. Replace Pressutil.dll.",
        words="kbbug compressing",
        products=(PRESS,),
        versions=("2.0 SP3", "2.0 SP4"),
        keywords=("kbPress", "kbBug"),
        type="kbbug",
        modified="2002-08-06",
    ),
    entry(
        "Q500002",
        "Many jobs after a package is updated again",
        "Each retry of the distribution makes one more job, until the schedule box overflows.",
        rest="The fix contains that of Q500001.",
        products=(PRESS,),
        versions=("2.0 SP4",),
        keywords=("kbPress",),
        type="kbbug",
        modified="2002-09-01",
    ),
    entry(
        "Q500003",
        "How to set the weaving speed of a loom",
        "The speed is set by a slider; streams of data are not concerned.",
        products=(LOOM,),
        versions=("1.0",),
        keywords=("kbLoom",),
        type="kbhowto",
        modified="1999-01-15",
    ),
    entry(
        "Q500004",
        "Loom refuses its service account",
        "The service does not start: access is denied, 0x80070005, after the licence server was moved.",
        products=(LOOM,),
        versions=("1.0", "1.1"),
        type="kbprb",
        modified="2000-05-05",
    ),
    entry("HA-2302", "A package could not be processed", "Status message 2302 names the file.", words="2302", messages=(2302,)),
)
