"""Plans and explanations over the API: what is asked for, refused and answered."""

from __future__ import annotations

from pathlib import Path

from tests.server.asgi import Served


def test_a_plan_and_an_explanation_of_a_real_site(served: Served, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "file").write_bytes(b"content" * 1000)
    package = served.publish(str(tmp_path / "source"))
    url = f"/api/v1/packages/{package}/plan"
    below = [code for code in ("CHI", "BOS") if served.admin("GET", f"{url}?to={code}").status == 200]
    (own,) = served.admin("GET", f"{url}?to=HQ1&files=true").json["items"]
    assert (own["bytes_new"], own["wire"], own["files"]) == (0, "none", [])
    for code in below:
        (row,) = served.admin("GET", f"{url}?to={code}&files=true").json["items"]
        assert (row["bytes_total"], row["bytes_new"], row["bases"]) == (7000, 7000, [])
        assert [file["path"] for file in row["files"]] == ["file"]
        assert row["reasons"][0]["why"] in ("no_base", "packed")
    assert served.admin("GET", f"{url}?to=ZZZ").code == "no-such-place"
    assert served.admin("GET", f"{url}?to=HQ1,,").status == 400
    assert served.admin("GET", f"{url}?to=HQ1&files=perhaps").code == "bad-query"
    assert served.admin("GET", "/api/v1/packages/HQ1FFFFF/plan?to=HQ1").code == "no-such-package"
    explained = served.admin("GET", f"/api/v1/packages/{package}/explain?at=HQ1&files=true").json
    assert explained["why"]
    assert [file["path"] for file in explained["files"]] == ["file"]
