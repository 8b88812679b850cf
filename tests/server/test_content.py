"""The built-in HTTP point, and getting a version out: what is served is what was captured, or it is refused."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import shutil
from pathlib import Path

import pytest
from blake3 import blake3

from haulage.base.ids import PackageId
from haulage.engine.content.manifest import live_chunks
from haulage.engine.content.model import ChunkId, ManifestId
from haulage.engine.content.store import LocalStore
from haulage.engine.protocol.definitions import Definition, VersionState, state_of
from haulage.engine.trust.dsse import verify_document
from haulage.server.app import create_app
from tests.server.asgi import Reply, Served, ask

DATA = os.urandom(300_000)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files, one with a stream and an attribute."""
    folder = tmp_path_factory.mktemp("source")
    (folder / "sub").mkdir()
    (folder / "sub" / "big").write_bytes(DATA)
    (folder / "small").write_text("small")
    os.setxattr(folder / "small", b"user.haulage-test", b"\0 not text \xff")
    os.chmod(folder / "small", 0o640)
    return folder


@pytest.fixture(scope="module")
def package(served: Served, source: Path) -> PackageId:
    return served.publish(str(source))


def _version(served: Served, reply: Reply) -> VersionState:
    assert reply.status == 200, reply.body
    return state_of(verify_document(reply.body, Definition, [served.opened.site_key.public]), VersionState)


def _extract(served: Served, package: str, target: object, **more: object) -> Reply:
    return served.admin("POST", f"/api/v1/packages/{package}/extract", {"to": str(target), **more})


def test_current_is_the_signed_version_and_every_chunk_comes_by_its_digest(served: Served, package: PackageId) -> None:
    current = served.admin("GET", f"/content/v1/packages/{package}/current")
    state = _version(served, current)
    assert (state.version, state.files) == (1, 2)
    assert current.headers["cache-control"] == "no-cache"
    numbered = served.admin("GET", f"/content/v1/packages/{package}/1")
    assert numbered.body == current.body
    assert "immutable" in numbered.headers["cache-control"]
    root = served.admin("GET", f"/content/v1/chunks/{state.manifest}")
    assert blake3(root.body).hexdigest() == state.manifest
    assert "immutable" in root.headers["cache-control"]


def test_what_is_not_held_is_not_found_and_what_is_no_digest_is_refused(served: Served, package: PackageId) -> None:
    assert served.admin("GET", f"/content/v1/chunks/{'00' * 32}").status == 404
    assert served.admin("GET", "/content/v1/chunks/" + "A" * 64).code == "bad-digest"
    assert served.admin("GET", f"/content/v1/packages/{package}/2").code == "no-such-version"
    for name in ("0", "01", "-1", "1e3"):
        assert served.admin("GET", f"/content/v1/packages/{package}/{name}").code == "bad-version"


def test_q206835_a_damaged_chunk_is_never_served(served: Served, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "file").write_bytes(os.urandom(200_000))
    state = _version(served, served.admin("GET", f"/content/v1/packages/{served.publish(str(source))}/current"))
    chunks, copy = _chunks(served, state), tmp_path / "content"
    shutil.copytree(served.opened.home.content, copy, ignore=shutil.ignore_patterns("lock"))
    for pack in (copy / "packs").glob("*.pack"):
        data = bytearray(pack.read_bytes())
        data[len(data) // 3 :] = bytes(byte ^ 0x55 for byte in data[len(data) // 3 :])
        pack.write_bytes(data)
    store = LocalStore(str(copy))
    try:
        app = create_app(dataclasses.replace(served.service, store=store))
        headers = {"Authorization": f"Bearer {served.token}"}
        pairs = [(asyncio.run(ask(app, "GET", f"/content/v1/chunks/{chunk.hex()}", headers=headers)), chunk) for chunk in chunks]
    finally:
        store.close()
    assert all(blake3(reply.body).hexdigest() == chunk.hex() for reply, chunk in pairs if reply.status == 200)
    refused = [reply for reply, _chunk in pairs if reply.status != 200]
    assert {reply.headers["content-type"] for reply in refused} == {"application/problem+json"}
    assert {reply.status for reply in refused} <= {404, 500}


def _chunks(served: Served, state: VersionState) -> list[ChunkId]:
    return list(live_chunks(ManifestId(bytes.fromhex(state.manifest)), served.opened.store))


def test_extract_is_byte_exact_with_streams(served: Served, package: PackageId, source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    reply = _extract(served, package, target)
    assert (reply.status, reply.json["files"], reply.json["verified"]) == (200, 2, True)
    assert (target / "sub" / "big").read_bytes() == DATA
    assert os.getxattr(target / "small", b"user.haulage-test") == b"\0 not text \xff"
    assert os.stat(target / "small").st_mode & 0o777 == 0o640


def test_extract_refuses_a_folder_that_holds_something(served: Served, package: PackageId, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    assert _extract(served, package, tmp_path).code == "target-not-empty"
    assert _extract(served, package, tmp_path / "mine").code == "target-not-empty"
    assert os.listdir(tmp_path) == ["mine"]


def test_b20_extract_refuses_what_overlaps_the_home_a_point_or_a_source(
    served: Served, package: PackageId, source: Path, tmp_path: Path
) -> None:
    assert served.admin("POST", "/api/v1/points", {"place": "HQ1/NEAR", "url": f"folder:{tmp_path}/point"}).status == 201
    (tmp_path / "link").symlink_to(served.opened.home.content)
    for target in (
        served.opened.home.file("out"),
        os.path.join(served.opened.home.content, "packs", "out"),
        tmp_path / "link" / "out",
        tmp_path / "point" / "out",
        source / "out",
        source / "sub" / ".." / "out",
    ):
        assert _extract(served, package, target).code == "target-overlaps", target
    assert not os.path.lexists(source / "out")
    for target in ("relative", "/", "", "/../..", "/tmp\0/x"):
        assert _extract(served, package, target).code == "bad-target"
    assert _extract(served, package, tmp_path / "no" / "out").code == "target-missing"


def test_b20_a_point_may_not_lie_in_the_home_a_source_or_behind_a_link_to_them(
    served: Served, package: PackageId, source: Path, tmp_path: Path
) -> None:
    assert package
    (tmp_path / "link").symlink_to(source)
    for folder in (served.opened.home.path, served.opened.home.file("keys"), source / "p", tmp_path / "link" / "p", source.parent):
        reply = served.admin("POST", "/api/v1/points", {"place": "HQ1/BAD", "url": f"folder:{folder}"})
        assert reply.code == "point-overlaps", folder
    assert not os.path.lexists(source / "p")
    listed = served.admin("GET", "/api/v1/points").json
    assert "HQ1/BAD" not in {row["place"] for row in listed}


def test_a_dry_run_leaves_no_mark_anywhere(served: Served, source: Path, tmp_path: Path) -> None:
    package = served.publish(str(source))
    (source / "small").write_text("changed")
    assert served.admin("POST", f"/api/v1/packages/{package}/publish", {}).status == 202
    served.work()
    pins = {pin.owner for pin in served.opened.store.pins()}
    before = served.admin("GET", f"/api/v1/packages/{package}").json
    tried = served.admin("POST", f"/api/v1/packages/{package}/rollback", {"version": 1, "dry_run": True})
    assert (tried.status, tried.json["version"]) == (201, 3)
    assert _extract(served, package, tmp_path / "out", dry_run=True).status == 200
    made = {"place": "HQ1/DRY", "url": f"folder:{tmp_path}/dry", "dry_run": True}
    assert served.admin("POST", "/api/v1/points", made).status == 201
    assert served.admin("DELETE", f"/api/v1/packages/{package}?dry_run=true").status == 200
    assert {pin.owner for pin in served.opened.store.pins()} == pins
    assert served.admin("GET", f"/api/v1/packages/{package}").json == before
    assert os.listdir(tmp_path) == []
