"""A file of declarations over the API: compared, applied, applied again, and written out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from haulage.base.ids import PackageId
from haulage.domain.transit import records as transit
from haulage.engine.status.message import StatusFilter
from haulage.operations import packages as package_operations
from haulage.wiring.founding import init_central
from tests.server.asgi import Served


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(init_central(str(tmp_path / "hq"), code="HQ1", listen="127.0.0.1:0"))
    served.join_child()
    yield served
    served.close()


class Shop:
    """A folder to capture, one to serve from, and a file about both."""

    def __init__(self, folder: Path) -> None:
        self.source, self.point = folder / "source", folder / "point"
        self.source.mkdir()
        self.point.mkdir()
        (self.source / "file").write_bytes(b"content" * 1000)

    def text(self, **change: str) -> str:
        parts = {
            "manage": "remove = []",
            "groups": 'shops = ["HQ1/SHOP", "CHI"]',
            "point": f'[points."HQ1/SHOP"]\nurl = "folder:{self.point}"',
            "keep": "keep = 2",
            "to": 'to = ["@shops", "HQ1"]',
            "more": "",
        } | change
        return (
            f"format = 1\n[manage]\n{parts['manage']}\n[sites.CHI]\nparent = \"HQ1\"\n[sites.NEW]\nname = \"New\"\n"
            f"[sites.LOW]\nparent = \"NEW\"\n{parts['point']}\n[groups]\n{parts['groups']}\n"
            f"[packages.\"Till software\"]\nsource = \"{self.source}\"\n{parts['keep']}\n{parts['to']}\n{parts['more']}\n"
        )  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def compared(served: Served, text: str, **more: Any) -> Any:
    reply = served.admin("POST", "/api/v1/declared/compare", {"text": text, **more})
    assert reply.status == 200, reply.body
    return reply.json


def applied(served: Served, text: str, **more: Any) -> Any:
    reply = served.admin("POST", "/api/v1/declared/apply", {"text": text, **more})
    assert reply.status == 200, reply.body
    return reply.json


def audited(served: Served) -> int:
    with served.opened.core.database.reading() as tx:
        found = served.service.core.journal.find(tx, StatusFilter(), limit=1000)
    return sum(30000 <= one.record.number < 30100 for one in found)


def acts(view: Any) -> list[tuple[str, str]]:
    return [(step["act"], step["standing"]) for step in view["steps"]]


def test_from_nothing_to_present_and_then_nothing_more(served: Served, shop: Shop) -> None:
    found = compared(served, shop.text(), publish=True)
    assert acts(found) == [
        ("invite-site", "ready"),
        ("invite-site", "later"),
        ("add-point", "ready"),
        ("fill-group", "ready"),
        ("create-package", "ready"),
        ("publish", "ready"),
    ]
    assert (found["gained"], found["unknown"], found["bytes_wire"]) == (3, 1, 0)
    done = applied(served, shop.text(), publish=True, expected=found["id"])
    assert (done["done"], done["failed"], done["left"]) == (5, 0, 1)
    assert [(one["code"], one["parent"], bool(one["join"])) for one in done["joins"]] == [("NEW", "HQ1", True)]
    package = PackageId(done["steps"][4]["package"])
    served.work()
    rows = served.admin("GET", f"/api/v1/packages/{package}/status").json
    assert {row["place"]: row["state"] for row in rows if row["place"] != "CHI"} == {"HQ1": "present", "HQ1/SHOP": "present"}
    assert (shop.point / "Till software").exists() or any(shop.point.rglob("file"))
    said = audited(served)
    again = applied(served, shop.text(), publish=True)
    assert (again["done"], again["failed"], again["left"]) == (0, 0, 1)
    assert audited(served) == said
    assert not again["joins"]


def test_a_change_says_what_it_costs_and_takes_no_more(served: Served, shop: Shop) -> None:
    applied(served, shop.text(to='to = ["HQ1"]'), publish=True)
    served.work()
    found = compared(served, shop.text(keep="keep = 5"))
    assert acts(found) == [("invite-site", "later"), ("change-package", "ready"), ("assign", "ready")]
    assign = found["steps"][2]
    assert assign["gained"] == 2
    package = assign["package"]
    plan = served.admin("GET", f"/api/v1/packages/{package}/plan?to=CHI").json["items"][0]
    assert assign["bytes_wire"] == plan["bytes_wire"] > 0
    assert [(row["place"], row["bytes_wire"]) for row in assign["costs"]] == [("CHI", plan["bytes_wire"]), ("HQ1", 0)]
    assert "keep from 2 to 5" in found["steps"][1]["sentence"]
    assert applied(served, shop.text(keep="keep = 5"))["done"] == 2
    assert served.admin("GET", f"/api/v1/packages/{package}").json["keep"] == 5


def test_i11_only_what_the_file_manages_is_taken_away(served: Served, shop: Shop) -> None:
    applied(served, shop.text())
    less = shop.text(groups='shops = ["CHI"]', to="to = []")
    assert (compared(served, less)["kept"], acts(compared(served, less))) == (
        {"members": 1, "assignments": 2},
        [("invite-site", "later")],
    )
    meant = shop.text(groups='shops = ["CHI"]', to="to = []", manage='remove = ["members", "assignments"]')
    found = compared(served, meant)
    assert (found["lost"], found["must_allow"]) == (3, 3)
    refused = served.admin("POST", "/api/v1/declared/apply", {"text": meant})
    assert (refused.status, refused.code) == (409, "too-many-removals")
    assert applied(served, meant, allow_removing=3, dry_run=True)["done"] == 0
    assert compared(served, meant)["lost"] == 3
    assert applied(served, meant, allow_removing=3)["done"] == 2
    assert acts(compared(served, meant)) == [("invite-site", "later")]


def test_points_groups_and_packages_go_only_if_the_file_says_so(served: Served, shop: Shop) -> None:
    applied(served, shop.text())
    nothing = 'format = 1\n[manage]\nremove = ["points", "groups", "packages"]\n'
    assert compared(served, "format = 1\n")["differs"] is False
    found = compared(served, nothing)
    assert acts(found) == [("remove-group", "ready"), ("remove-package", "ready"), ("remove-point", "ready")]
    assert applied(served, nothing, allow_removing=found["must_allow"])["done"] == 3
    assert compared(served, nothing)["differs"] is False
    assert served.admin("GET", "/api/v1/points?limit=5").json["items"] == []
    assert (shop.source / "file").exists()


def test_a_step_that_fails_names_itself_and_the_others_go_on_if_they_shall(served: Served, shop: Shop) -> None:
    more = f'[packages.Inside]\nsource = "{served.service.home}"\n[packages.Other]\nsource = "{shop.source}"\n'
    text = shop.text(more=more, groups="a = []")
    text = text.replace("@shops", "@a")
    stopped = applied(served, text)
    assert [step["outcome"] for step in stopped["steps"]].count("failed") == 1
    failed = next(step for step in stopped["steps"] if step["outcome"] == "failed")
    assert (failed["name"], bool(failed["error"]["message"])) == ("Inside", True)
    assert next(step for step in stopped["steps"] if step["name"] == "Other")["outcome"] == "left"
    went_on = applied(served, text, keep_going=True)
    assert next(step for step in went_on["steps"] if step["name"] == "Other")["outcome"] == "done"
    assert (went_on["done"], went_on["failed"]) == (1, 1)


def test_what_changed_after_it_was_looked_at_is_not_done(served: Served, shop: Shop) -> None:
    found = compared(served, shop.text())
    served.admin("PUT", "/api/v1/groups/shops/places", {"places": ["CHI"]})
    refused = served.admin("POST", "/api/v1/declared/apply", {"text": shop.text(), "expected": found["id"]})
    assert (refused.status, refused.code) == (409, "changed-since")


def test_what_is_written_out_does_not_differ(served: Served, shop: Shop) -> None:
    applied(served, shop.text())
    text = served.admin("GET", "/api/v1/declared").json["text"]
    assert compared(served, text)["differs"] is False
    assert "Till software" in text
    every = text.replace("remove = []", 'remove = ["assignments", "members", "points", "groups", "packages"]')
    assert compared(served, every)["differs"] is False


def test_mistakes_of_a_file_are_all_told_with_their_lines(served: Served) -> None:
    text = 'format = 1\n[packages.a]\nsorce = "/a"\nto = ["ZZZ"]\n'
    refused = served.admin("POST", "/api/v1/declared/compare", {"text": text})
    assert (refused.status, refused.code) == (400, "bad-declaration")
    assert "line 3: packages.a.sorce is not known here; did you mean 'source'?" in refused.json["detail"]
    nobody = 'format = 1\n[packages.a]\nsource = "/a"\nto = ["ZZZ"]\n[groups]\nb = ["CHI/NO"]\n'
    detail = served.admin("POST", "/api/v1/declared/compare", {"text": nobody}).json["detail"]
    assert "line 4: ZZZ" in detail
    assert "line 6: point CHI/NO" in detail


def test_interrupted_between_two_steps_it_is_applied_again(served: Served, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(*_arguments: Any, **_options: Any) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(package_operations, "create_package", dies)
        assert served.admin("POST", "/api/v1/declared/apply", {"text": shop.text()}).status == 500
    found = compared(served, shop.text())
    assert acts(found) == [("invite-site", "later"), ("create-package", "ready")]
    assert applied(served, shop.text())["done"] == 1
    with served.opened.core.database.reading() as tx:
        assert transit.list_shipments(tx) == []
