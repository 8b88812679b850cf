"""What the verbs of ``package`` that look into packages ask and print; the report as a page by itself."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from tests.cli.fake_api import Ask, FakeApi
from tests.console.inert import seen

HOSTILE = "</td><script>alert(1)</script> \u202egnp"
PROOF: dict[str, Any] = {
    "package": "HQ100001", "name": HOSTILE, "owner": "HQ1", "site": "HQ1", "taken": "2026-11-23T04:00:00.000000Z", "version": 2,
    "manifest": "ab" * 32, "sha256": "cd" * 32, "files": 3, "folders": 1, "streams": 2, "bytes": 4096,
    "captured": "2026-11-22T04:00:00.000000Z", "published_by": HOSTILE, "published_how": "publish", "published_asked": None,
    "signature": {"signer": "ef" * 32, "checked": True, "cause": "", "manifest": "ab" * 32},
    "counts": [{"state": "present", "reason": "", "count": 1}], "places": 2, "present": 1, "oldest_verified": None,
    "rows": [
        {
            "place": "LA1/SHOP", "name": HOSTILE, "kind": "point", "way": ["HQ1", "LA1", "LA1/SHOP"],
            "state": "present", "reason": "",
            "wanted": 2, "present": 2, "newest": True, "manifest": "ab" * 32, "verified": "2026-11-22T05:00:00.000000Z",
            "reported": "2026-11-22T05:00:00.000000Z", "heard": None,
        },
        {
            "place": "CHI", "name": "", "kind": "site", "way": ["HQ1", "CHI"], "state": "waiting", "reason": "report", "wanted": 2,
            "present": 0, "newest": False, "manifest": "", "verified": None, "reported": None, "heard": None,
        },
    ],
}  # fmt: skip


def test_the_report_as_a_page_holds_every_fact_and_nothing_that_runs(api: FakeApi, ask: Ask) -> None:
    api.replies["GET /packages/HQ100001/report"] = PROOF
    code, out, err = ask("package", "report", "HQ100001", "-o", "html")
    assert (code, err) == (0, "")
    page = seen(out)
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(page.tags)
    assert page.tags.count("td") == 14
    words = " ".join(page.words)
    for fact in (
        "ab" * 32,
        "cd" * 32,
        "ef" * 32,
        "HQ1 → LA1 → LA1/SHOP",
        "2026-11-22 05:00:00 UTC",
        "haulage package verify HQ100001",
    ):
        assert fact in words, fact
    assert "\u202e" not in out
    assert not any(name.startswith("on") or name in ("src", "href") for name, _value in page.attributes)


def test_a_wrong_signature_is_told_loudly(api: FakeApi, ask: Ask) -> None:
    wrong = {"signer": "ef" * 32, "checked": True, "cause": "", "manifest": "00" * 32}
    api.replies["GET /packages/HQ100001/report"] = PROOF | {"signature": wrong}
    assert "NOT right" in ask("package", "report", "HQ100001", "-o", "html")[1]


def test_the_report_in_its_other_forms(api: FakeApi, ask: Ask) -> None:
    api.replies["GET /packages/HQ100001/report"] = PROOF
    assert json.loads(ask("package", "report", "HQ100001", "-o", "json")[1]) == PROOF
    rows = list(csv.DictReader(io.StringIO(ask("package", "report", "HQ100001", "-o", "csv")[1])))
    assert [(row["place"], row["present"], row["signer"]) for row in rows] == [
        ("LA1/SHOP", "2", "ef" * 32),
        ("CHI", "0", "ef" * 32),
    ]
    code, out, err = ask("package", "report", "HQ100001")
    assert (code, "HQ1 > LA1 > LA1/SHOP" in out, "1 of 2 places" in err) == (0, True, True)


def test_how_packages_stand(api: FakeApi, ask: Ask) -> None:
    one = {"id": "HQ100001", "name": "Tills", "version": 2, "bytes": 10, "captured": None, "counts": PROOF["counts"]}
    api.replies["GET /standing/packages"] = [one]
    code, out, _err = ask("package", "standing", "tills", "--show", "present", "--sort", "size", "--down")
    assert (code, "1 present" in out) == (0, True)
    asked = api.asked[0].query
    assert (asked["q"], asked["show"], asked["sort"], asked["down"]) == ("tills", "present", "size", "true")


def test_a_version_is_named_with_its_number(api: FakeApi, ask: Ask) -> None:
    for verb in ("files", "noted"):
        assert ask("package", verb, "HQ100001")[0] == 2
    assert api.asked == []
    api.replies["GET /packages/HQ100001/versions/1/capture"] = {"known": False}
    code, _out, err = ask("package", "noted", "HQ100001:1")
    assert (code, "Ask site HQ1" in err) == (2, True)
