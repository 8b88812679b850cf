"""A mail that tells some status messages: subject, text and a small HTML part. Nothing in a message can add a header, a line or a
tag. Sends nothing."""

from __future__ import annotations

import datetime as dt
import email.policy
import email.utils
import html
from collections.abc import Mapping, Sequence
from email.headerregistry import Address
from email.message import EmailMessage

from haulage.base.ids import SiteCode
from haulage.base.notify_settings import EmailSettings
from haulage.base.text import shown
from haulage.engine.status import catalogue
from haulage.engine.status.message import Listed, Severity, advice, sentence

SUBJECT_CHARACTERS = 150
LINE_CHARACTERS = 600
_COLOURS = {Severity.ERROR: "#b3261e", Severity.WARNING: "#8a5a00", Severity.INFORMATION: "#3b5566"}


def compose(
    settings: EmailSettings,
    site: SiteCode,
    messages: Sequence[Listed],
    counts: Mapping[Severity, int],
    *,
    console: str,
    now: dt.datetime,
) -> EmailMessage:
    """One mail. ``messages`` are at least one, in order; ``counts`` of all it tells. The same messages give the same Message-ID."""
    domain = settings.sender.rpartition("@")[2].strip("[]").replace(":", ".")
    first, last = messages[0].record, messages[-1].record
    marks = "-".join(f"{one.site}.{one.epoch}.{one.sequence}" for one in (first, last))
    total = max(sum(counts.values()), len(messages))
    mail = EmailMessage(policy=email.policy.SMTP)
    mail["Subject"] = _subject(messages, total)
    mail["From"] = Address(f"Haulage {site}", addr_spec=settings.sender)
    mail["To"] = ", ".join(settings.to)
    mail["Date"] = email.utils.format_datetime(now)
    mail["Message-ID"] = f"<{marks}.{total}.{settings.name}@{domain}>"
    mail["List-Id"] = f"<{settings.name}.{site.lower()}.haulage.{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(_text(site, messages, counts, total, console))
    mail.add_alternative(_html(site, messages, counts, total, console), subtype="html")
    return mail


def _worst(messages: Sequence[Listed]) -> Listed:
    return max(messages, key=lambda one: (one.record.severity.rank, -one.id))


def _says(one: Listed) -> str:
    return shown(sentence(one.record, catalogue.MESSAGES.get(one.record.number)), limit=LINE_CHARACTERS)


def _subject(messages: Sequence[Listed], total: int) -> str:
    worst = _worst(messages)
    said = f"{worst.record.site} {worst.record.severity.value} {worst.record.number}: {_says(worst)}"
    said = said if len(said) <= SUBJECT_CHARACTERS else said[: SUBJECT_CHARACTERS - 1] + "…"
    return said if total == 1 else f"{said} (and {total - 1} more)"


def _where(one: Listed) -> str:
    return " at ".join(text for text in (one.record.package, one.record.place) if text)


def _summary(counts: Mapping[Severity, int], total: int, shown_here: int) -> str:
    told = ", ".join(f"{counts[severity]} × {severity.value}" for severity in reversed(Severity) if counts.get(severity))
    rest = total - shown_here
    return told + (f". {rest} of them are not shown here." if rest > 0 else ".")


def _remedy(one: Listed) -> str:
    known = catalogue.MESSAGES.get(one.record.number)
    return "" if known is None or one.record.severity is Severity.INFORMATION else shown(advice(one.record, known))


def _text(site: SiteCode, messages: Sequence[Listed], counts: Mapping[Severity, int], total: int, console: str) -> str:
    lines = [f"Site {site} tells: {_summary(counts, total, len(messages))}", ""]
    for one in messages:
        record = one.record
        head = f"{record.severity.value.upper()} {record.number}  {record.time:%Y-%m-%d %H:%M:%SZ}  {record.site}  {_where(one)}"
        lines += [head.rstrip(), f"  {_says(one)}"]
        if remedy := _remedy(one):
            lines.append(f"  What to do: {remedy}")
        lines += [f"  {console}/status/{one.id}", ""]
    lines.append(f"All messages: {console}/status")
    return "\n".join(lines) + "\n"


def _html(site: SiteCode, messages: Sequence[Listed], counts: Mapping[Severity, int], total: int, console: str) -> str:
    rows = "".join(_row(one, console) for one in messages)
    link = html.escape(f"{console}/status", quote=True)
    return (
        '<!doctype html><html lang="en"><body style="font-family:sans-serif;font-size:14px">'
        f"<p>Site {html.escape(site)} tells: {html.escape(_summary(counts, total, len(messages)))}</p>"
        f'<table cellpadding="6" style="border-collapse:collapse">{rows}</table>'
        f'<p><a href="{link}">All messages</a></p></body></html>\n'
    )


def _row(one: Listed, console: str) -> str:
    record, link = one.record, html.escape(f"{console}/status/{one.id}", quote=True)
    colour = _COLOURS[record.severity]
    remedy = f'<br><span style="color:#555">What to do: {html.escape(_remedy(one))}</span>' if _remedy(one) else ""
    about = html.escape(f"{record.time:%Y-%m-%d %H:%M:%SZ} {record.site} {_where(one)}".rstrip())
    return (
        '<tr style="vertical-align:top;border-top:1px solid #ddd">'
        f'<td style="color:{colour}"><b>{record.severity.value}</b><br><a href="{link}">{record.number}</a></td>'
        f'<td>{html.escape(_says(one))}{remedy}<br><span style="color:#777">{about}</span></td></tr>'
    )
