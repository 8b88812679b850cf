"""The report on a package as a page by itself: no script, nothing loaded from anywhere, for printing and for files. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from html import escape
from typing import Any

from haulage.base.text import shown

_STYLE = """
@page { margin: 16mm 12mm }
body { font: 10.5pt/1.45 system-ui, sans-serif; color: #16191b; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem } .quiet { color: #555 }
dl { display: grid; grid-template-columns: 8rem 1fr; gap: .25rem 1rem; margin: 1.2rem 0 }
dt { color: #555 } dd { margin: 0; overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100%; font-size: .87em } thead { display: table-header-group } tr { break-inside: avoid }
th, td { text-align: left; vertical-align: top; padding: .3rem .5rem; border-bottom: 1px solid #ccc; overflow-wrap: anywhere }
code { font-family: ui-monospace, Consolas, monospace; font-size: .92em } .verdict { font-size: 1.1rem; margin: 1rem 0 }
@media print { body { margin: 0; max-width: none; padding: 0 } ol { break-inside: avoid } }
"""


def report_page(found: Mapping[str, Any]) -> str:
    """The page; ``found`` is the report as the server tells it."""
    title = f"Where {found['name']} is"
    rows = "\n".join(_row(row) for row in found["rows"])
    head = ("Place", "Version", "State", "Every byte read", "Manifest there", "Said by its site", "Way")
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{_text(title)}</title><style>{_STYLE}</style></head><body>
<h1>{_text(title)}</h1>
<p class="quiet"><code>{_text(found["package"])}</code>, version {found["version"]}.
As of {_moment(found["taken"])}, as known at site {_text(found["site"])}.</p>
<p class="verdict">Version {found["version"]} is present and verified at
<strong>{found["present"]} of {found["places"]}</strong> places.</p>
<dl>{_facts(found)}</dl>
<h2>Place by place</h2>
<table><thead><tr>{"".join(f'<th scope="col">{one}</th>' for one in head)}</tr></thead><tbody>
{rows}
</tbody></table>
<h2>How to check this</h2>
<ol>{"".join(f"<li>{step}</li>" for step in _steps(found))}</ol>
</body></html>
"""


def _facts(found: Mapping[str, Any]) -> str:
    signature = found["signature"]
    right = signature["checked"] and signature["manifest"] == found["manifest"]
    verdict = "checked for this report, and right" if right else f"NOT right: {signature['cause'] or 'it names another manifest'}"
    asked = f", asked for by {found['published_by']}" if found["published_by"] else ""
    size = f"{found['files']} files, {found['folders']} folders, {found['streams']} named streams, {found['bytes']} bytes"
    facts = (
        ("Manifest", f"{found['manifest']} (BLAKE3 of its root page)"),
        ("SHA-256", f"{found['sha256']} (of the same page)"),
        ("Signed by", f"{signature['signer'] or 'nobody known'}, the key of site {found['owner']}: {verdict}"),
        ("Published", f"{_moment(found['captured'])}{asked}"),
        ("Content", size),
    )
    return "".join(f"<dt>{name}</dt><dd>{_text(value)}</dd>" for name, value in facts)


def _row(row: Mapping[str, Any]) -> str:
    cells = (
        f"{row['place']} {row['name']}",
        str(row["present"] or "none"),
        f"{row['state']} {row['reason']}".strip(),
        _moment(row["verified"]) if row["present"] else "not known",
        row["manifest"],
        _moment(row["reported"]),
        " → ".join(row["way"]),
    )
    return "<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in cells) + "</tr>"


def _steps(found: Mapping[str, Any]) -> tuple[str, ...]:
    package, version = _text(found["package"]), found["version"]
    return (
        f"At any site ask for the digest: <code>haulage package versions {package} -o json</code>. It must be the manifest above.",
        f"Have a place read again: <code>haulage package verify {package} --at PLACE</code>. It ends with 0 only if all is right.",
        f"Take it out and compare: <code>haulage package extract {package}:{version} --to FOLDER</code>.",
    )


def _moment(value: str | None) -> str:
    return "never" if not value else dt.datetime.fromisoformat(value).strftime("%Y-%m-%d %H:%M:%S UTC")


def _text(value: object) -> str:
    return escape(shown(str(value)))
