"""Words that say nothing about a problem, unless a question has no others. Pure."""

from __future__ import annotations

_WORDS = """
a about after again all also am an and any are as at be because been before being but by can cannot could did do does
doing down during each else even ever every for from further get gets got had has have having he her here him his how i
if in into is it its itself just like may me might more most much must my no nor not now of off often on once one only
or other our out over own please same she should so some such than that the their them then there these they this those
through to too under until up us very was we were what when where which while who whom whose why will with would yet you
your
"""

STOP_WORDS: frozenset[str] = frozenset(_WORDS.split())
