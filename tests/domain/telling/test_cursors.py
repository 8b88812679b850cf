"""Every message is told at least once and in order; what fails is told of once; what waits too long is counted."""

from __future__ import annotations

import dataclasses
import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st

from haulage.domain.telling.asked import Asked
from haulage.domain.telling.cursors import POSTS, UNWRITTEN
from haulage.domain.telling.notifier import Answer, Outcome
from haulage.engine.status.message import Severity
from haulage.engine.status.on_requests import STORE_CHECK_ASKED
from tests.domain.telling.journals import HQ1, OPS, PEOPLE, REFUSED, START, Telling

FAILS, WORKS, SKIPPED = 520, 521, 522


def test_messages_for_it_are_told_in_order_and_others_never() -> None:
    site = Telling(OPS)
    wanted: list[int] = []
    for _ in range(POSTS + 5):
        site.note()
        wanted.append(site.warn(place=f"HQ1/P{len(wanted)}"))
    assert site.waiting(OPS) == POSTS + 5
    assert site.deliver(OPS) == wanted
    assert (site.row(OPS).told, site.waiting(OPS)) == (POSTS + 5, 0)
    assert site.deliver(OPS) == []


def test_who_is_new_is_told_nothing_that_was_before() -> None:
    site = Telling()
    site.warn()
    site.start(OPS)
    assert site.deliver(OPS) == []
    site.warn()
    assert len(site.deliver(OPS)) == 1


def test_f16_a_server_that_dies_between_sending_and_remembering_sends_again() -> None:
    site = Telling(OPS, PEOPLE)
    first, second = site.warn(), site.warn()
    site.clock.move(60)
    sent, mailed = site.cursors.plan(OPS), site.cursors.plan(PEOPLE)
    site.warn()
    site.start(OPS, PEOPLE)
    again, mailed_again = site.cursors.plan(OPS), site.cursors.plan(PEOPLE)
    assert [one.id for one in sent.messages] == [one.id for one in again.messages][:2] == [first, second]
    # The same mail, so that it has the same Message-ID: what came since waits for the next.
    assert [one.id for one in mailed_again.messages] == [one.id for one in mailed.messages] == [first, second]
    assert mailed_again.through == mailed.through == second


def test_q259702_nothing_is_lost_while_a_receiver_is_down() -> None:
    site = Telling(OPS)
    wanted: list[int] = []
    for index in range(30):
        wanted.append(site.warn(place=f"HQ1/P{index}"))
        site.fail(OPS, 1)
    assert site.row(OPS).tries == 30
    site.clock.move(1000)
    got = site.deliver(OPS)
    fails = [one["notifier"] for one in site.said(FAILS)]
    assert got == wanted
    assert fails == ["ops"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["warn", "note", "tell", "fail", "crash", "kill", "wait"]), max_size=40))
def test_f16_whatever_happens_in_between_each_is_told_in_order(acts: list[str]) -> None:
    site = Telling(OPS)
    wanted: list[int] = []
    got: list[int] = []
    for act in acts:
        if act == "warn":
            wanted.append(site.warn(place=f"HQ1/P{len(wanted)}"))
        elif act == "note":
            site.note()
        elif act == "kill":
            site.start(OPS)
        elif act == "wait":
            site.clock.move(20)
        else:
            plan = site.cursors.plan(OPS)
            if plan.messages and act == "fail":
                site.cursors.failed(OPS, REFUSED)
            elif plan.messages:  # "crash": it arrived, and nobody wrote that down
                got.append(plan.messages[0].id)
                if act == "tell":
                    site.cursors.told(OPS, plan.messages[0].id, 1)
    site.clock.move(1000)
    got += site.deliver(OPS)
    assert sorted(set(got)) == wanted
    assert list(dict.fromkeys(got)) == wanted  # repeats stand beside their first


def test_q297870_a_failure_is_said_once_and_its_end_once() -> None:
    site = Telling(OPS)
    site.warn()
    site.fail(OPS, 2)
    assert site.said(FAILS) == []
    site.fail(OPS, 50)
    assert [(one["notifier"], one["cause"]) for one in site.said(FAILS)] == [("ops", REFUSED.said)]
    site.clock.move(1000)
    site.deliver(OPS)
    assert [one["tries"] for one in site.said(WORKS)] == [52]
    assert site.row(OPS).failing_since is None


def test_q153532_nobody_is_told_of_its_own_trouble_and_others_are() -> None:
    other = dataclasses.replace(OPS, name="other")
    site = Telling(OPS, other, PEOPLE)
    first = site.warn()
    site.fail(OPS, 3)
    site.clock.move(1000)
    assert site.deliver(OPS) == [first]
    told = site.deliver(other)
    assert len(told) == 2
    assert told[0] == first
    mail = site.cursors.plan(PEOPLE)
    assert len(mail.messages) == 2 == sum(mail.counts.values())


def test_two_that_fail_do_not_tell_of_each_other_for_ever() -> None:
    a, b = OPS, dataclasses.replace(OPS, name="other")
    site = Telling(a, b)
    site.warn()
    for _ in range(30):
        site.fail(a, 1)
        site.fail(b, 1)
    assert len(site.said(FAILS)) == 2
    assert site.waiting(a) == 2


def test_who_wants_no_more_is_left_alone_until_its_settings_change() -> None:
    site = Telling(OPS)
    site.warn()
    site.fail(OPS, 1, Answer(outcome=Outcome.GONE, said="410 Gone"))
    assert site.row(OPS).state == "gone"
    assert [one["outlook"] for one in site.said(FAILS)] == ["Nothing more is sent until its settings change"]
    site.clock.move(86_400)
    assert (site.cursors.plan(OPS).messages, site.cursors.plan(OPS).gone) == ((), True)
    site.start(OPS)
    assert site.cursors.plan(OPS).gone
    changed = dataclasses.replace(OPS, settings="b")
    site.start(changed)
    assert len(site.deliver(changed)) == 1


def test_a_test_that_succeeds_wakes_it() -> None:
    site = Telling(OPS)
    site.warn()
    site.fail(OPS, 1, Answer(outcome=Outcome.GONE, said="410 Gone"))
    site.cursors.wake(OPS)
    assert len(site.deliver(OPS)) == 1
    assert site.row(OPS).state == "working"


def test_what_a_receiver_asks_for_is_waited_up_to_a_day() -> None:
    for asked, waits in ((7200.0, 7200.0), (1e12, 86_400.0)):
        site = Telling(OPS)
        site.warn()
        site.fail(OPS, 1, Answer(outcome=Outcome.FAILED, said="429", wait_seconds=asked))
        due = site.row(OPS).due
        assert due is not None
        assert (due - START).total_seconds() == waits
        assert site.cursors.plan(OPS).again == due


def test_tries_come_later_each_time_and_never_later_than_a_quarter_of_an_hour() -> None:
    site = Telling(OPS)
    site.warn()
    waits = []
    for _ in range(15):
        site.fail(OPS, 1)
        due = site.row(OPS).due
        assert due is not None
        waits.append((due - site.clock.now()).total_seconds())
    assert 2.5 <= waits[0] <= 5
    assert all(450 <= wait <= 900 for wait in waits[-3:])


def test_what_waited_too_long_is_skipped_and_counted() -> None:
    site = Telling(OPS)
    for index in range(5):
        site.warn(place=f"HQ1/P{index}")
    site.fail(OPS, 3)
    site.clock.move(4 * 86_400)
    last = site.warn()
    assert site.deliver(OPS) == [last]
    assert [(one["notifier"], one["count"]) for one in site.said(SKIPPED)] == [("ops", 5)]
    assert site.row(OPS).skipped == 5


def test_what_is_more_than_may_wait_is_skipped_and_counted() -> None:
    site = Telling(OPS, keep_messages=10)
    said = [site.warn(place=f"HQ1/P{index}") for index in range(25)]
    site.fail(OPS, 1)
    site.clock.move(1000)
    assert site.deliver(OPS) == said[-10:]
    assert [one["count"] for one in site.said(SKIPPED)] == [15]


def test_a_flood_becomes_a_mail_now_and_then() -> None:
    site = Telling(PEOPLE)
    first = site.warn("the first")
    assert site.cursors.plan(PEOPLE).again == START + dt.timedelta(seconds=60)
    for index in range(9):
        site.warn(place=f"HQ1/P{index}")
    site.clock.move(60)
    plan = site.cursors.plan(PEOPLE)
    assert [one.id for one in plan.messages] == [first, first + 1, first + 2]
    assert plan.counts == {Severity.ERROR: 10}
    site.told(PEOPLE, plan)
    site.warn()
    assert site.cursors.plan(PEOPLE).again == site.clock.now() + dt.timedelta(seconds=600)
    site.clock.move(600)
    assert len(site.cursors.plan(PEOPLE).messages) == 1


def test_a_mail_shows_errors_before_all_else() -> None:
    all_of_it = dataclasses.replace(PEOPLE, asked=Asked(severity="information"))
    site = Telling(all_of_it)
    notes = [site.note() for _ in range(4)]
    error = site.warn()
    site.clock.move(60)
    plan = site.cursors.plan(all_of_it)
    assert [one.id for one in plan.messages] == [*notes[:2], error]
    assert plan.counts == {Severity.ERROR: 1, Severity.INFORMATION: 4}


def test_a_mail_whose_messages_expired_is_let_go() -> None:
    site = Telling(PEOPLE)
    site.warn()
    site.clock.move(60)
    assert site.cursors.plan(PEOPLE).messages
    with site.database.writing() as tx:
        site.clock.move(86_400 * 40)
        site.journal.expire(tx, days=30, audit_days=30)
    last = site.warn()
    assert not site.cursors.plan(PEOPLE).messages
    site.clock.move(60)
    assert [one.id for one in site.cursors.plan(PEOPLE).messages] == [last]


def test_a_cursor_over_what_is_not_for_it_is_written_now_and_then() -> None:
    """Nobody reads a hundred thousand messages again after each start, nor writes a row for each of them."""
    site = Telling(OPS)
    last = site.note()
    site.cursors.plan(OPS)
    assert site.row(OPS).through == 0
    with site.database.writing() as tx:
        for _ in range(UNWRITTEN + 1):
            # Its own site's numbers are not bounded by the journal's gate here: audit messages are always stored.
            last += 1
            site.journal.record(tx, STORE_CHECK_ASKED, actor="x")
    site.cursors.plan(OPS)
    assert site.row(OPS).through == last


def test_who_is_taken_out_of_the_settings_is_forgotten() -> None:
    site = Telling(OPS)
    site.warn()
    site.start()
    site.start(OPS)
    assert site.deliver(OPS) == []


def test_only_what_sites_at_or_below_said_is_told() -> None:
    below = dataclasses.replace(OPS, asked=Asked(below=HQ1))
    elsewhere = dataclasses.replace(OPS, name="b", asked=Asked(below="CHI"))
    site = Telling(below, elsewhere)
    site.warn()
    assert (site.waiting(below), site.waiting(elsewhere)) == (1, 0)
