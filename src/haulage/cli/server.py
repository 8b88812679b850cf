"""``haulage init``, ``join``, ``serve``: what needs no server. The site's rooms are loaded only when one of them runs."""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import Parameter

from haulage.base.errors import UsageError
from haulage.base.ids import site_code
from haulage.cli import output
from haulage.cli.options import DryRun
from haulage.cli.output import Form

DEFAULT_LISTEN = "127.0.0.1:8440"

NewHome = Annotated[str, Parameter(env_var="HAULAGE_HOME", help="The folder that becomes the home; new or empty.")]
Name = Annotated[str, Parameter(help="A name for people.")]
Listen = Annotated[str, Parameter(help="HOST:PORT to listen at; port 0 takes a free one, once and for all.")]
Url = Annotated[str | None, Parameter(help="https://NAME:PORT by which others reach it; made from --listen if not given.")]
Database = Annotated[
    str,
    Parameter(
        show_default=False,
        help="An empty database: sqlite:////PATH or postgresql://USER@HOST/NAME, without password; otherwise site.db in the home.",
    ),
]
PasswordFile = Annotated[
    str,
    Parameter(
        name="--database-password-file",
        show_default=False,
        help="The file that holds the password of --database; otherwise as ~/.pgpass says.",
    ),
]
Output = Annotated[Form, Parameter(name=["--output", "-o"], help="Form of the answer; JSON is stable.")]


def init(
    *,
    home: NewHome,
    site: Annotated[str, Parameter(help="The site code: 3 upper-case letters or digits.")],
    name: Name = "",
    listen: Listen = DEFAULT_LISTEN,
    url: Url = None,
    database: Database = "",
    password_file: PasswordFile = "",
    dry_run: DryRun = False,
    form: Output = "table",
) -> None:
    """Make the home of a central site, ready to serve.

    haulage init --home /srv/haulage --site HQ1

    haulage init --home /srv/haulage --site HQ1 --listen 0.0.0.0:8440 --url https://hq.example.org:8440

    haulage init --home /srv/haulage --site HQ1 --database postgresql://haulage@db.example.org/haulage
    """
    code = site_code(site)
    if dry_run:
        _say_made(home, code, url or "", form, "would become")
        return
    from haulage.wiring.databases import choose_database
    from haulage.wiring.founding import init_central  # heavy: databases, keys, jobs

    chosen = choose_database(database, password_file)
    made = init_central(home, code=code, name=name, listen=listen, url=url, database=chosen)
    _say_made(made.path, made.code, made.url, form, "is")


def join(
    join_string: Annotated[
        str,
        Parameter(
            allow_leading_hyphen=True, help="What haulage invite site printed; - reads it from stdin, where nobody else sees it."
        ),
    ],
    /,
    *,
    home: NewHome,
    name: Name = "",
    listen: Listen = DEFAULT_LISTEN,
    url: Url = None,
    database: Database = "",
    password_file: PasswordFile = "",
    form: Output = "table",
) -> None:
    """Make the home of a child site. Its parent must be reachable; the same command may be run again until it is done.

    haulage join --home /srv/haulage haulage-join-…
    """
    from haulage.wiring.databases import choose_database
    from haulage.wiring.joining import join as join_site  # heavy: databases, keys, links

    chosen = choose_database(database, password_file)
    word = sys.stdin.readline() if join_string == "-" else join_string
    made = join_site(home, word, name=name, listen=listen, url=url, database=chosen)
    _say_made(made.path, made.code, made.url, form, "is")


def serve(
    *,
    home: Annotated[str, Parameter(env_var="HAULAGE_HOME", help="The home to serve.")],
    log_format: Annotated[str | None, Parameter(help="json or cmtrace; otherwise as haulage.toml says.")] = None,
) -> None:
    """Run the site's server in the foreground. SIGTERM ends it orderly.

    haulage serve --home /srv/haulage
    """
    from haulage.wiring.serving import serve as serve_site  # heavy: the whole server

    serve_site(home, log_format=log_format)


def upgrade(
    *,
    home: Annotated[str, Parameter(env_var="HAULAGE_HOME", help="The home of a stopped site.")],
    check: Annotated[
        bool, Parameter(negative=(), help="Change nothing: say whether the site may come to the version --to.")
    ] = False,
    to: Annotated[str, Parameter(help="With --check: the version of Haulage it is to come to.")] = "",
    form: Output = "table",
) -> None:
    """Bring the database of a stopped site to this version's tables, as serve does when it starts. A fix of Haulage itself runs it;
    --check refuses a version higher than the parent's.

    haulage upgrade --home /srv/haulage

    haulage upgrade --home /srv/haulage --check --to 1.2.0
    """
    if check != bool(to):
        raise UsageError("usage", "--check and --to go together.", "haulage upgrade --home DIR --check --to VERSION")
    from haulage.wiring.upgrading import may_upgrade, upgrade_home  # heavy: databases

    if check:
        found = may_upgrade(home, to)
        heard = (
            f"its parent {found['parent']} has {found['parent_version']}" if found["parent"] else "no parent has said its version"
        )
        output.print_made(found, form, f"{found['id']} may come to {to}: {heard}")
        return
    found = upgrade_home(home)
    output.print_made(found, form, f"{found['id']}: schema {found['schema']} (was {found['schema_before']})")


def _say_made(home: str, code: str, url: str, form: Form, verb: str) -> None:
    made = {"id": code, "code": code, "home": home, "url": url}
    output.print_made(made, form, f"{home} {verb} the home of site {code}; next: haulage serve --home {home}")
