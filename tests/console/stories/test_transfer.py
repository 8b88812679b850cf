"""A transfer is watched while it comes, held, released, and arrives; whoever looks on loads nothing anew."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, expect

from haulage.testing.folders import noise
from haulage.testing.lab.lab import Lab, Row
from tests.console.stories.window import Window

WHOLE_BYTES = 28 << 20
"""Much more than a batch, which counts as arrived when it is whole; a site is told of what arrives below every ten seconds."""
SLOW_BYTES_PER_SECOND = 1 << 20


def test_a_transfer_is_watched_held_released_and_arrives(lab: Lab, window: Window, tmp_path: Path) -> None:
    (tmp_path / "image.bin").write_bytes(noise(WHOLE_BYTES, 6))
    package = str(lab.quick("HQ1", "package", "create", "Image", "--source", str(tmp_path))["id"])
    page = window.sign_in_local(f"/transfers?package={package}&state=all")
    expect(page.get_by_text("No transfer is like that.")).to_be_visible()
    lab.lines["HQ1"].bytes_per_second = SLOW_BYTES_PER_SECOND
    window.mark()

    lab.quick("HQ1", "package", "assign", package, "--to", "CHI")
    lab.quick("HQ1", "package", "publish", package)
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="CHI", exact=True)).filter(has_text=package)
    expect(row).to_contain_text("moving")
    before = arrived_bytes(row)
    expect(row.locator("progress")).not_to_have_attribute("value", before)
    assert float(arrived_bytes(row)) > float(before)
    assert window.marked

    row.get_by_role("button", name="Hold").click()
    expect(page.get_by_role("status").first).to_contain_text(f"{package} at CHI is held")
    window.mark()
    expect(row).to_contain_text("held by")
    held_at = lab.until(lambda: settled(lab, package), "the transfer holds still")
    lab.lines["HQ1"].bytes_per_second = 0
    expect(row.locator("progress")).not_to_have_attribute("value", "100")
    assert row_of(lab, package, "CHI")["bytes_done"] == held_at < WHOLE_BYTES
    page.locator("select[name=state]").select_option("held")
    expect(row).to_contain_text("held by")

    page.goto(f"/transfers?package={package}&state=all")
    row.get_by_role("button", name="Release").click()
    expect(page.get_by_role("status").first).to_contain_text(f"{package} at CHI is released")
    window.mark()
    expect(row).to_contain_text("present")
    expect(row.get_by_role("button", name="Release")).to_have_count(0)
    assert window.marked

    row.get_by_role("link", name="CHI", exact=True).click()
    expect(page).to_have_title(re.compile(f"^{package} at CHI"))
    told = page.locator(".timeline")
    for said in ("hold", "release"):
        expect(told).to_contain_text(re.compile(said, re.IGNORECASE))
    assert row_of(lab, package, "CHI")["present"] == 1


def arrived_bytes(row: Locator) -> str:
    """The share that is there, as the bar has it."""
    return row.locator("progress").get_attribute("value") or "0"


def settled(lab: Lab, package: str) -> int:
    """What the central site knows to have arrived, once the place itself says that it holds; 0 until then."""
    own, known = row_of(lab, package, "CHI"), row_of(lab, package, "HQ1")
    still = own["word"] == known["word"] == "held" and own["state"] == known["state"] == "waiting"
    return int(known["bytes_done"]) if still and own["bytes_done"] == known["bytes_done"] else 0


def row_of(lab: Lab, package: str, at: str) -> Row:
    """The transfer to CHI, as a site knows it."""
    row: Row = lab[at].api.get(f"/transfers/{package}", {"at": "CHI"})
    return row
