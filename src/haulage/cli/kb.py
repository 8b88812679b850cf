"""``haulage kb``: the articles of a site: import, search, show, diagnosis, and what they say of fixes."""

from __future__ import annotations

import os
import sys
from typing import Annotated

from cyclopts import App, Parameter

from haulage.base.errors import FAMILIES, HaulageError, NotFoundError, UsageError
from haulage.cli import output
from haulage.cli.client import Client, Row, path
from haulage.cli.confirm import confirm as ask
from haulage.cli.options import PLAIN, DryRun, How, Timeout, Yes, seconds
from haulage.cli.waiting import Look, wait

app = App(
    name="kb",
    help="Articles: what is known about problems and their fixes.\n\n"
    "haulage kb import /srv/articles.tar.zst\n\n"
    'haulage kb search "error 998 while compressing"\n\n'
    "haulage kb diagnose < distmgr.log\n\n"
    "haulage kb show Q316316",
)

SERVER = "server:"
_LOG_BYTES = 64 * 1024
"""Of a log the end is told."""
_LIST = (
    output.field("id"),
    output.field("modified"),
    output.field("type"),
    output.field("owner"),
    output.field("title"),
)
_HITS = (
    output.field("id"),
    output.field("title"),
    ("why", lambda row: ", ".join(f"{why['text']} ({why['part']})" for why in row["why"][:6]) or "-"),
)
_LIKELY = (*_HITS, output.field("certainty"), ("fix", lambda row: fix_text(row.get("fix"))))
_IMPORTS = (
    output.field("number"),
    output.field("state"),
    output.field("source"),
    ("articles", lambda row: output.text_of(row["report"].get("articles"))),
    ("added", lambda row: output.text_of(row["report"].get("added"))),
    ("changed", lambda row: output.text_of(row["report"].get("changed"))),
    ("unchanged", lambda row: output.text_of(row["report"].get("unchanged"))),
    ("refused", lambda row: output.text_of(sum(row["report"].get("refused", {}).values()))),
    ("error", lambda row: output.text_of((row["error"] or {}).get("message"))),
)
Only = Annotated[str, Parameter(help="Only of this value; several with | between them.")]
Article = Annotated[str, Parameter(help="The id of an article, as in Q316316.")]
Limit = Annotated[int, Parameter(help="How many are shown at most.")]


@app.command(name="import")
def import_(
    source: Annotated[str, Parameter(help="A folder, .tar.zst or one article on the server; with --upload a file here.")],
    /,
    *,
    upload: Annotated[bool, Parameter(negative=(), show_default=False, help="Send a file of this machine to the server.")] = False,
    no_wait: Annotated[bool, Parameter(negative=(), show_default=False, help="Return at once.")] = False,
    timeout: Timeout = "1h",
    dry_run: DryRun = False,
    how: How = PLAIN,
) -> None:
    """Take articles in: of the KnowledgeBase Archive in both its forms, or Markdown with front matter. What is there is unchanged.

    haulage kb import /srv/articles.tar.zst

    haulage kb import printer-jam.md --upload
    """
    client = how.client()
    asked = _uploaded(client, source) if upload else _asked(client, source, dry_run=dry_run)
    if dry_run or no_wait:
        output.print_made(asked, how.output, f"Import of {source}{' (not done, only looked at)' if dry_run else ' asked for'}.")
        return
    done = wait(lambda: _import_over(client, asked["number"]), seconds(timeout))
    if done["error"]:
        error = done["error"]
        raise _family(error["code"])(error["code"], error["message"], error["hint"])
    report = done["report"]
    output.print_made(
        done,
        how.output,
        f"{report['articles']} articles of {report['files']} files: {report['added']} new, {report['changed']} changed, "
        f"{report['unchanged']} as they were, {sum(report['refused'].values())} refused.",
    )


@app.command
def imports(number: int | None = None, /, *, how: How = PLAIN) -> None:
    """The imports of this site; with a number what was refused and what was odd, and why.

    haulage kb imports

    haulage kb imports 3 -o json
    """
    if number is None:
        output.print_rows(how.client().get("/article-imports"), how.output, _IMPORTS, empty="Nothing was imported here.")
        return
    found = how.client().get(path("article-imports", str(number)))
    output.print_object(found, how.output, _IMPORTS)
    if how.output == "table":
        for word in ("refused_files", "odd_files"):
            for one in found["report"].get(word, []):
                output.print_line(f"{word.partition('_')[0]}: {one['name']}: {one['kind']} {one['detail']}")


@app.command(name="list")
def list_(
    *,
    owner: Annotated[str | None, Parameter(help="Only of this site; empty for those that come with Haulage.")] = None,
    limit: Limit = 100,
    after: Annotated[str, Parameter(help="Begin behind this id.")] = "",
    how: How = PLAIN,
) -> None:
    """Articles by id.

    haulage kb list --owner HQ1 --limit 20
    """
    rows = how.client().get("/articles", {"owner": owner, "limit": limit, "cursor": after or None})["items"]
    output.print_rows(rows, how.output, _LIST, empty="There are no articles here. haulage kb import PATH takes some in.")


@app.command
def search(
    *words: str,
    product: Only = "",
    version: Only = "",
    keyword: Only = "",
    type_: Annotated[str, Parameter(name="--type", help="Only of this type, as kbbug.")] = "",
    year: Only = "",
    limit: Limit = 20,
    cursor: Annotated[str, Parameter(help="What the page before ended with.")] = "",
    how: How = PLAIN,
) -> None:
    """Search articles. Nothing is an operator but "a phrase" and the beginning of a word left open*.

    haulage kb search distribution manager 998

    haulage kb search '"many jobs"' --year '2001|2002'
    """
    asked = {"text": " ".join(words), "product": product, "version": version, "keyword": keyword, "type": type_, "year": year}
    found = how.client().get("/search", {**asked, "limit": limit, "cursor": cursor or None})
    if how.output != "table":
        output.print_object(found, how.output, []) if how.output == "json" else output.print_rows(found["items"], how.output, _HITS)
        return
    output.print_rows(found["items"], "table", _HITS, empty="No article answers that.")
    if found["did_you_mean"]:
        output.say(f"Did you mean: {found['did_you_mean']}")
    if found["behind"]:
        output.say(f"{found['behind']} articles are still to be indexed.")
    output.say(f"{found['total']} found." + (f" More: --cursor {found['cursor']}" if found["cursor"] else ""))


@app.command
def show(article: Article, /, *, how: How = PLAIN) -> None:
    """An article whole, whom it names, who names it, and the fix that helps.

    haulage kb show Q316316
    """
    found = how.client().get(path("articles", article))
    if how.output != "table":
        output.print_object(found, how.output, [])
        return
    _print_article(found)


@app.command
def diagnose(
    text: Annotated[str | None, Parameter(help="What you see; without it standard input is read, as from a log.")] = None,
    /,
    *,
    file: Annotated[str | None, Parameter(help="A log on this machine; its end is told.")] = None,
    message: Annotated[int | None, Parameter(help="The number, if it is a status message of Haulage.")] = None,
    limit: Limit = 5,
    how: How = PLAIN,
) -> None:
    """The articles a log, a status message or an error is likely to be about, best first, with why and the fix.

    haulage kb diagnose "Cannot write to output file, Win32 Error = 998"

    haulage kb diagnose --file /srv/press/press.log

    haulage kb diagnose --message 2328
    """
    alone = text is None and file is None and message is not None and sys.stdin.isatty()
    seen = "" if alone else text if text is not None else _end_of(file)
    body = {"text": seen, "limit": limit, **({} if message is None else {"message": message})}
    rows = how.client().post("/diagnosis", body)["items"]
    output.print_rows(rows, how.output, _LIKELY, empty="No article here seems to be about that.")


@app.command
def graph(
    article: Article,
    /,
    *,
    svg: Annotated[str | None, Parameter(help="Write a picture into this file.")] = None,
    how: How = PLAIN,
) -> None:
    """Which fix contains or replaces which around one, from bundles, from persons and from texts, with the sentences that say so.

    haulage kb graph Q316316

    haulage kb graph Q316316 --svg fixes.svg
    """
    found = how.client().get(path("articles", article, "graph"))
    if svg is not None:
        _write(svg, found["picture"])
        output.say(f"The picture is in {svg}.")
        return
    if how.output != "table":
        output.print_object(found, how.output, [])
        return
    for line in found["drawing"].splitlines():
        output.print_line(line)
    output.say(f"To install: {fix_text(found['fix'])}")


@app.command
def propose(article: Article, /, *, how: How = PLAIN) -> None:
    """What an article's text says of its fix: what it contains and replaces, its files, and the sentences. Nothing is changed.

    haulage kb propose Q319207
    """
    found = how.client().get(path("articles", article, "proposal"))
    names = ("id", "title", "supersedes", "contains", "requires")
    output.print_object(found, how.output, [output.field(name) for name in names])
    if how.output == "table":
        for file in found["files"]:
            output.print_line(f"file: {file['path']} {file['version']} {file['platform']} {file['bytes']} bytes")
        for word in ("evidence", "open_questions"):
            for line in found[word]:
                output.print_line(f"{word.replace('_', ' ')}: {line}")


@app.command
def confirm(article: Article, /, *, yes: Yes = False, dry_run: DryRun = False, how: How = PLAIN) -> None:
    """Make a known fix of what an article's text says, after you have read the proposal.

    haulage kb confirm Q319207
    """
    client = how.client()
    if not dry_run and not yes:
        found = client.get(path("articles", article, "proposal"))
        for line in found["evidence"]:
            output.say(line)
    ask(f"Is that what {article} says of its fix?", yes=yes or dry_run)
    made = client.post(path("articles", article, "fix"), {"dry_run": dry_run})
    output.print_made(
        made, how.output, f"Fix {made['id']} is known from its article{' (not done, only looked at)' if dry_run else ''}."
    )


@app.command
def remove(article: Article, /, *, yes: Yes = False, dry_run: DryRun = False, how: How = PLAIN) -> None:
    """Remove an article of this site, here and at every site below.

    haulage kb remove Q316316
    """
    ask(f"Remove article {article} here and below?", yes=yes or dry_run)
    made = how.client().delete(path("articles", article), {"dry_run": dry_run})
    output.print_made(made, how.output, f"Article {made['id']} removed{' (not done, only looked at)' if dry_run else ''}.")


def fix_text(fix: Row | None) -> str:
    """The fix that helps, in a few words."""
    if not fix:
        return "-"
    word = fix["id"] if fix["own"] else f"{fix['id']} (instead of {', '.join(sorted({edge['fix'] for edge in fix['chain']}))})"
    if fix["here"]:
        return f"{word}, here as {fix['package']}"
    return f"{word}, package {fix['package']}" if fix["package"] else f"{word}, no bundle here"


def likely_lines(rows: list[Row]) -> list[str]:
    """Likely articles beside a failure."""
    return [f"{row['id']} {row['title']}; fix: {fix_text(row.get('fix'))}" for row in rows]


def _asked(client: Client, source: str, *, dry_run: bool) -> Row:
    real = source.removeprefix(SERVER)
    if not source.startswith(SERVER) and not os.path.isabs(source):
        real = os.path.abspath(source)
    asked: Row = client.post("/article-imports", {"path": real, **({"dry_run": True} if dry_run else {})})
    return asked


def _uploaded(client: Client, source: str) -> Row:
    made: Row = client.upload("/article-imports/upload", read_file(source), {"name": os.path.basename(source)})
    return made


def read_file(source: str) -> bytes:
    """A file of this machine. Raises NotFoundError ``no-such-file``."""
    try:
        with open(source, "rb") as file:
            return file.read()
    except OSError as error:
        raise NotFoundError("no-such-file", f"{source} cannot be read: {error.strerror}.", "Check the path.") from None


def _write(target: str, text: str) -> None:
    try:
        with open(target, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError("cannot-write", f"{target} cannot be written: {error.strerror}.", "Choose another path.") from None


def _import_over(client: Client, number: int) -> Look[Row]:
    found = client.get(path("article-imports", str(number)))
    if found["state"] == "failed" or (found["state"] == "done" and not found["behind"]):
        return Look(answer=found)
    what = f"{found['behind']} articles are to be indexed" if found["state"] == "done" else f"the import is {found['state']}"
    return Look(answer=None, waits_for=what)


def _family(code: str) -> type[HaulageError]:
    names = {"no-such-source": "not-found", "source-unreadable": "transfer", "defect": "transfer"}
    return FAMILIES[names.get(code, "format")]


def _end_of(file: str | None) -> str:
    if file is None:
        if sys.stdin.isatty():
            raise UsageError(
                "nothing-to-diagnose", "There is no text.", "Give it as an argument, with --file, or on standard input."
            )
        data = sys.stdin.buffer.read()
    else:
        data = read_file(file)
    return data[-_LOG_BYTES:].decode("utf-8", "replace")


def _print_article(found: Row) -> None:
    output.print_line(f"{found['id']}  {found['title']}")
    versions = [f"{one['name']} {', '.join(one['versions'])}".strip() for one in found["products"]]
    output.print_line(f"{found['modified'] or '-'}  {found['type'] or '-'}  {'; '.join(versions)}")
    for section in found["sections"]:
        output.print_line("")
        if section["heading"]:
            output.print_line(section["heading"])
        for line in section["text"].splitlines():
            output.print_line(f"  {line}" if line else "")
    output.print_line("")
    for title, word in (("Names", "relations"), ("Named by", "named_by")):
        for one in found[word]:
            output.print_line(f"{title}: {one['id']} ({one['relation']}) {one['title']}")
    output.print_line(f"Fix: {fix_text(found['fix'])}")
