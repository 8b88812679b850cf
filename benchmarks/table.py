"""Tables of figures with their ratios, as Markdown. Knows no topic."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

Format = Callable[[float], str]


def seconds(value: float) -> str:
    """Seconds with three digits that count."""
    return f"{value:.0f} s" if value >= 100 else f"{value:.1f} s" if value >= 10 else f"{value:.2f} s"


def mebibytes(value: float) -> str:
    """MiB with three digits that count."""
    value /= 1 << 20
    return f"{value:,.0f} MiB" if value >= 100 else f"{value:.1f} MiB" if value >= 1 else f"{value:.3f} MiB"


def cell(own: Sequence[float], base: Sequence[float], show: Format) -> str:
    """The median, and the median of the ratios to the base round by round."""
    if not own:
        return "–"
    ratios = [mine / other for mine, other in zip(own, base, strict=False) if other]
    if not ratios or own is base:
        return show(statistics.median(own))
    ratio = statistics.median(ratios)
    return f"{show(statistics.median(own))} ({ratio:.2g}×)" if ratio < 10 else f"{show(statistics.median(own))} ({ratio:.0f}×)"


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A Markdown table with aligned columns."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, ["-" * width for width in widths], *rows]:
        print("| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |")
    print(flush=True)
