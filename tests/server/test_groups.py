"""Groups over the API: what is asked for, refused and answered."""

from __future__ import annotations

from pathlib import Path

from tests.server.asgi import Served

URL = "/api/v1/groups/api-shops"


def test_a_group_from_beginning_to_end(served: Served, tmp_path: Path) -> None:
    source, point = tmp_path / "source", tmp_path / "point"
    source.mkdir()
    point.mkdir()
    assert served.admin("POST", "/api/v1/points", {"place": "HQ1/group", "url": f"folder:{point}"}).status == 201
    tried = served.admin("PUT", f"{URL}/places", {"places": ["CHI"], "dry_run": True}).json
    assert (tried["gained"], tried["dry_run"]) == (["CHI"], True)
    assert served.admin("GET", URL).code == "no-such-group"
    assert served.admin("PUT", f"{URL}/places", {"places": ["CHI"]}).json["gained"] == ["CHI"]
    made = served.admin("POST", "/api/v1/packages", {"name": "g", "source": str(source), "places": ["@api-shops", "HQ1"]})
    package = made.json["id"]
    assert (made.json["assignments"], made.json["groups"], made.json["direct"]) == (["CHI", "HQ1"], ["api-shops"], ["HQ1"])
    more = served.admin("PUT", URL, {"places": ["CHI", "HQ1/group"]}).json
    assert (more["packages"], more["moved"]) == (1, [{"package": package, "gained": ["HQ1/group"], "lost": []}])
    assert served.admin("GET", URL).json["assigned"] == [package]
    assert {row["name"] for row in served.admin("GET", "/api/v1/groups?limit=1").json["items"]} == {"api-shops"}
    assert served.admin("DELETE", URL).code == "group-in-use"
    reach = served.admin("DELETE", f"{URL}?dry_run=true").json
    assert (reach["removals"], reach["lost"]) == (2, ["CHI", "HQ1/group"])
    assert served.admin("DELETE", f"{URL}/places", {"places": ["HQ1/group"]}).json["removals"] == 1
    assert served.admin("DELETE", f"{URL}?even_used=true").json["removals"] == 1
    assert served.admin("GET", f"/api/v1/packages/{package}").json["assignments"] == ["HQ1"]
    assert served.admin("DELETE", "/api/v1/points/HQ1/group").status == 200
    assert served.admin("DELETE", f"/api/v1/packages/{package}").status == 200


def test_what_a_group_refuses(served: Served) -> None:
    assert served.admin("PUT", f"{URL}/places", {"places": ["@other"]}).code == "bad-site-code"
    assert served.admin("PUT", f"{URL}/places", {"places": []}).code == "no-places"
    assert served.admin("PUT", URL, {"places": []}).code == "no-places"
    for name in ("Shops", "sh%C3%B6ps", "a%20b", "..%2Fx", "-a", "a" * 64):
        assert served.admin("PUT", f"/api/v1/groups/{name}", {"places": ["CHI"]}).status in (400, 404)
    assert served.admin("GET", "/api/v1/packages/HQ100001/plan?to=@").code == "bad-group-name"


def test_a_plan_for_a_group_is_that_for_its_places(served: Served, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content" * 100)
    package = served.publish(str(tmp_path))
    name = "/api/v1/groups/plan-shops"
    served.admin("PUT", f"{name}/places", {"places": ["CHI"]})
    by_group = served.admin("GET", f"/api/v1/packages/{package}/plan?to=@plan-shops,CHI").json
    assert [row["place"] for row in by_group["items"]] == ["CHI"]
    assert by_group["items"][0]["bytes_new"] == 700
    assert served.admin("GET", f"/api/v1/packages/{package}/plan?to=@none").code == "no-such-group"
    served.admin("DELETE", name)
