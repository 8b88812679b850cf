"""The figures: who may read them, that they are what Prometheus reads, and that they say what is so."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from haulage.base.ids import PackageId, Place, VersionNumber
from haulage.base.settings import MetricsSettings
from haulage.domain.transit import records as transit
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import Reason, ShipmentState
from haulage.engine.status import on_server
from haulage.server.gate import is_loopback
from haulage.wiring.founding import init_central
from haulage.wiring.serving import scraping_of
from tests.server.asgi import Served

Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(init_central(str(tmp_path_factory.mktemp("metrics") / "hq"), code="HQ1", listen="127.0.0.1:0"))
    served.join_child()
    yield served
    served.close()


def _scrape(served: Served) -> Figures:
    reply = served.admin("GET", "/metrics")
    assert reply.status == 200
    families = text_string_to_metric_families(reply.body.decode())
    return {(sample.name, frozenset(sample.labels.items())): sample.value for family in families for sample in family.samples}


def _at(figures: Figures, name: str, **labels: str) -> float:
    return figures[name, frozenset(labels.items())]


def test_every_name_has_the_prefix_a_base_unit_and_a_help_text(own: Served) -> None:
    page = own.admin("GET", "/metrics").body.decode()
    families = [one for one in text_string_to_metric_families(page) if not one.name.startswith("process_")]
    assert len(families) > 20
    for family in families:
        assert re.fullmatch(r"haulage_[a-z][a-z0-9_]*", family.name), family.name
        assert family.documentation.endswith("."), family.name
        assert not re.search(r"_(kb|mb|ms|minutes|hours|days|percent)(_|$)", family.name), family.name
        if family.type == "counter":
            assert all(sample.name.endswith("_total") for sample in family.samples), family.name


def test_openmetrics_for_who_asks_for_it(own: Served) -> None:
    reply = own.admin("GET", "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert reply.headers["content-type"].startswith("application/openmetrics-text")
    assert reply.body.endswith(b"# EOF\n")


def test_nobody_reads_figures_without_a_token(own: Served) -> None:
    assert own.ask("GET", "/metrics").status == 401
    assert own.ask("GET", "/metrics", headers={"Authorization": "Bearer haulage_" + "A" * 43}).status == 401


def test_who_is_on_this_machine_reads_them_if_the_settings_say_so_and_the_token_for_them_opens_nothing_else(
    tmp_path: Path,
) -> None:
    home = init_central(str(tmp_path / "hq"), code="HQ1", listen="127.0.0.1:0")
    token = tmp_path / "scrape.token"
    with open(tmp_path / "hq" / "haulage.toml", "a") as file:
        file.write(f'\n[metrics]\nlocal = true\ntoken_file = "{token}"\n')
    from haulage.wiring.home import load_home

    served = Served(load_home(home.path))
    try:
        assert served.ask("GET", "/metrics").status == 200
        with_token = {"Authorization": f"Bearer {token.read_text().strip()}"}
        assert served.ask("GET", "/metrics", headers=with_token).status == 200
        assert served.ask("GET", "/api/v1/site", headers=with_token).status == 401
        assert served.ask("GET", "/metrics", headers={"Authorization": "Bearer haulage_" + "A" * 43}).status == 401
    finally:
        served.close()


def test_the_token_of_the_figures_stays_the_same(tmp_path: Path) -> None:
    settings = MetricsSettings(token_file=str(tmp_path / "token"))
    assert scraping_of(settings) == scraping_of(settings)
    assert (tmp_path / "token").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("address", "is_here"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("::ffff:127.0.0.1", True), ("10.0.0.1", False), ("", False)],
)
def test_what_counts_as_this_machine(address: str, is_here: bool) -> None:
    assert is_loopback(address) is is_here


def _shipment(package: str, place: str, state: ShipmentState, **more: object) -> Shipment:
    values: dict[str, object] = {
        "package": PackageId(package),
        "place": Place(place),
        "owner": "HQ1",
        "wanted": VersionNumber(1),
        "state": state,
        "updated": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        **more,
    }
    return Shipment(**values)  # type: ignore[arg-type]


def test_shipments_are_counted_by_place_and_state(own: Served) -> None:
    rows = [
        _shipment("HQ1000A1", "CHI", ShipmentState.MOVING, bytes_planned=1000, bytes_done=400),
        _shipment("HQ1000A1", "HQ1/WEB", ShipmentState.WAITING, reason=Reason.SPACE),
        _shipment("HQ1000A2", "HQ1/A-LONGER-POINT", ShipmentState.WAITING, reason=Reason.SPACE),
    ]
    before = _scrape(own)
    with own.opened.core.database.writing() as tx:
        for row in rows:
            transit.put_shipment(tx, row)
    after = _scrape(own)

    def more(name: str, **labels: str) -> float:
        return _at(after, name, **labels) - before.get((name, frozenset(labels.items())), 0)

    assert more("haulage_shipments", kind="site", state="moving") == 1
    assert more("haulage_shipments", kind="point", state="waiting") == 2
    assert more("haulage_shipments", kind="site", state="failed") == 0
    assert more("haulage_shipments_waiting", reason="space") == 2
    assert more("haulage_shipments_left_bytes") == 600


def test_status_messages_are_counted_once_they_are_durable(own: Served) -> None:
    core, labels = own.opened.core, {"number": str(on_server.JOB_DEFECT.number), "severity": on_server.JOB_DEFECT.severity.value}
    with core.database.writing() as tx:
        core.journal.record(tx, on_server.JOB_DEFECT, job="x", cause="y")
    counted = _at(_scrape(own), "haulage_status_messages_total", **labels)
    with pytest.raises(RuntimeError), core.database.writing() as tx:  # noqa: PT012  (what is rolled back is the point)
        core.journal.record(tx, on_server.JOB_DEFECT, job="x", cause="y")
        raise RuntimeError
    assert counted >= 1
    assert _at(_scrape(own), "haulage_status_messages_total", **labels) == counted


def test_bytes_of_the_line_are_counted(own: Served) -> None:
    own.opened.core.provider.served_bytes["CHI"] = 77  # type: ignore[index]
    own.opened.core.site_duty.traffic.add(received_bytes=5, reused_bytes=3)
    own.opened.core.site_duty.traffic.add(received_bytes=5)
    figures = _scrape(own)
    assert _at(figures, "haulage_link_sent_bytes_total", peer="CHI") == 77
    assert _at(figures, "haulage_received_bytes_total") == 10
    assert _at(figures, "haulage_reused_bytes_total") == 3


def test_a_child_that_was_not_heard_is_down_and_one_that_was_is_up(own: Served) -> None:
    assert _at(_scrape(own), "haulage_link_up", peer="CHI", direction="child") == 0
    own.service.presence.hear("CHI")  # type: ignore[arg-type]
    figures = _scrape(own)
    assert _at(figures, "haulage_link_up", peer="CHI", direction="child") == 1
    assert _at(figures, "haulage_link_last_heard_timestamp_seconds", peer="CHI") > 1.7e9
    assert _at(figures, "haulage_build_info", site="HQ1", version=own.service.version) == 1
