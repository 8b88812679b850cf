"""Nobody sees a page or sends a form who may not, and every answer carries what keeps a browser safe."""

from __future__ import annotations

import importlib.resources

import pytest

from haulage.console.frame.cookies import LIGHT, SESSION
from haulage.console.frame.headers import POLICY
from haulage.console.frame.page import FORM_MAX_BYTES
from haulage.console.frame.sessions import ROTATE
from tests.console.conftest import URL, Browser
from tests.console.inert import assert_own_page


def concrete(path: str) -> str:
    return path.replace("{article}", "HLG640").replace("{fix}", "Q316316")


def test_every_page_but_signing_in_needs_a_session(browser: Browser) -> None:
    assert [page.path for page in browser.pages if page.open] == ["/sign-in"]
    for page in browser.pages:
        reply = browser.get(concrete(page.path))
        assert reply.status == (200 if page.open else 303), page.path
        if not page.open:
            assert reply.headers["location"].startswith("/sign-in?to=")
            assert b"HLG640" not in reply.body


def test_every_write_but_signing_in_and_the_light_needs_a_session(browser: Browser) -> None:
    assert {write.path for write in browser.writes if write.open} == {"/sign-in", "/light"}
    for write in browser.writes:
        if not write.open:
            assert browser.post(write.path, {}).headers["location"] == "/sign-in"


def test_the_token_opens_a_session_in_a_cookie_nothing_else_can_read(browser: Browser) -> None:
    reply = browser.post("/sign-in", {"secret": f" {browser.secret}\n", "to": "/knowledge/HLG640"})
    assert (reply.status, reply.headers["location"]) == (303, "/knowledge/HLG640")
    cookie = reply.headers["set-cookie"]
    assert cookie.startswith(f"{SESSION}=")
    assert set(cookie.split("; ")[1:]) == {"Path=/", "Secure", "HttpOnly", "SameSite=Strict"}
    assert browser.secret not in cookie
    assert browser.get("/knowledge/HLG640").status == 200


def test_another_token_opens_nothing(browser: Browser) -> None:
    for secret in ("", "haulage_" + "x" * 43, browser.secret[:-1], "\0"):
        reply = browser.post("/sign-in", {"secret": secret, "to": "/knowledge/HLG640"})
        assert reply.headers["location"] == "/sign-in?to=%2Fknowledge%2FHLG640&refused=token"
        assert "set-cookie" not in reply.headers
    shown = browser.get("/sign-in?refused=token")
    assert shown.status == 403
    assert b"not the token of this server" in shown.body


def test_signing_in_again_ends_the_session_before(browser: Browser) -> None:
    browser.sign_in()
    before = dict(browser.cookies)
    browser.sign_in()
    assert browser.cookies != before
    browser.cookies = before
    assert browser.get("/knowledge").status == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": ""},
        {"origin": "null"},
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"origin": f"{URL}.evil"},
    ],
)
def test_a_form_from_elsewhere_is_refused(browser: Browser, headers: dict[str, str]) -> None:
    browser.sign_in()
    token = browser.token()
    for path, form in (("/sign-out", {"token": token}), ("/light", {"light": "dark"}), ("/sign-in", {"secret": browser.secret})):
        reply = browser.post(path, form, **headers)
        assert reply.status == 403
        assert b"foreign-form" in reply.body or reply.code == "foreign-origin"
        assert "set-cookie" not in reply.headers
    assert browser.get("/knowledge").status == 200


def test_a_form_without_the_sessions_token_is_refused(browser: Browser) -> None:
    browser.sign_in()
    other = Browser({}).sign_in().token()
    for form in ({}, {"token": ""}, {"token": other}, {"token": "\udcff"}):
        reply = browser.post("/sign-out", {name: value.encode("utf-8", "replace").decode() for name, value in form.items()})
        assert (reply.status, b"form-too-old" in reply.body) == (403, True)
    assert browser.get("/knowledge").status == 200


def test_signing_out_takes_the_session_and_its_cookie(browser: Browser) -> None:
    browser.sign_in()
    before = dict(browser.cookies)
    assert browser.post("/sign-out", {"token": browser.token()}).headers["location"] == "/sign-in"
    assert SESSION not in browser.cookies
    browser.cookies = before
    assert browser.get("/knowledge").status == 303


def test_the_secret_of_a_session_is_replaced_now_and_then(browser: Browser) -> None:
    browser.sign_in()
    before = browser.cookies[SESSION]
    assert "set-cookie" not in browser.get("/knowledge").headers
    browser.clock.move(ROTATE.total_seconds())
    assert browser.get("/knowledge").status == 200
    assert browser.cookies[SESSION] != before
    assert browser.get("/knowledge").status == 200


@pytest.mark.parametrize(
    "to", ["https://evil.example", "//evil.example", "/\\evil.example", "/a\\b", "javascript:1", "/a\nb", "", "/" + "x" * 3000]
)
def test_signing_in_never_leads_elsewhere(browser: Browser, to: str) -> None:
    assert browser.post("/sign-in", {"secret": browser.secret, "to": to}).headers["location"] == "/"


def test_every_answer_carries_the_policy(browser: Browser) -> None:
    replies = [
        browser.get("/sign-in"),
        browser.get("/knowledge"),
        browser.post("/light", {"light": "dark"}, **{"sec-fetch-site": "cross-site"}),
    ]
    browser.sign_in()
    replies += [browser.get(concrete(page.path)) for page in browser.pages]
    replies += [browser.get(f"{concrete(page.path)}.json") for page in browser.pages if page.has_json]
    replies += [browser.get("/knowledge/HLG1"), browser.get("/knowledge/%3Cscript%3E"), browser.get("/knowledge?year=&q=%00")]
    replies += [browser.get(browser.console._assets.url("console.css")), browser.get("/console/0/console.css")]
    for reply in replies:
        assert reply.headers["content-security-policy"] == POLICY
        assert reply.headers["referrer-policy"] == "same-origin"
        assert reply.headers["x-content-type-options"] == "nosniff"
    assert "script-src 'self';" in POLICY
    assert POLICY.startswith("default-src 'none'")
    assert "unsafe" not in POLICY


def test_no_page_has_anything_inline_or_from_elsewhere(browser: Browser) -> None:
    browser.sign_in()
    for page in browser.pages:
        assert_own_page(browser.get(concrete(page.path)).body.decode())


def test_what_is_others_is_served_as_it_came() -> None:
    vendor = importlib.resources.files("haulage.console").joinpath("static", "vendor")
    names = {file.name for file in vendor.iterdir()}
    licences = vendor.joinpath("LICENSES.txt").read_text(encoding="utf-8")
    assert all(name in licences for name in names - {"LICENSES.txt"})
    assert not [name for name in names if b"eval(" in vendor.joinpath(name).read_bytes()]


def test_the_light_is_a_choice_without_script(browser: Browser) -> None:
    assert b'data-light="auto"' in browser.get("/sign-in").body
    reply = browser.post("/light", {"light": "dark", "to": "/sign-in"})
    assert reply.headers["location"] == "/sign-in"
    assert browser.cookies[LIGHT] == "dark"
    assert b'data-light="dark"' in browser.get("/sign-in").body
    browser.cookies[LIGHT] = '"><script>'
    assert b'data-light="auto"' in browser.get("/sign-in").body


def test_programs_get_the_same_as_json_with_the_api_token(browser: Browser) -> None:
    assert browser.get("/knowledge/HLG640.json").status == 401
    assert browser.get("/knowledge/HLG640.json", authorization="Bearer haulage_" + "x" * 43).status == 401
    reply = browser.get("/knowledge/HLG640.json", authorization=f"Bearer {browser.secret}")
    assert (reply.status, reply.json["id"]) == (200, "HLG640")
    missing = browser.get("/knowledge/HLG1.json", authorization=f"Bearer {browser.secret}")
    assert (missing.status, missing.code) == (404, "no-such-article")
    assert browser.get("/knowledge/HLG640", authorization=f"Bearer {browser.secret}").status == 303


def test_a_form_is_only_so_large_and_only_a_form(browser: Browser) -> None:
    large = browser.post("/light", {"light": "x" * FORM_MAX_BYTES})
    assert (large.status, b"body-too-large" in large.body) == (413, True)
    assert browser.post("/light", {str(number): "" for number in range(200)}).status == 400
    assert browser.post("/light", {"light": "dark"}, **{"content-type": "application/json"}).status == 415


def test_a_file_is_found_at_its_address_only(browser: Browser) -> None:
    where = browser.console._assets.url("console.css")
    found = browser.get(where)
    assert (found.status, found.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "immutable" in found.headers["cache-control"]
    for wrong in ("/console/0/console.css", where.replace("console.css", "..%2Fapp.py"), where.replace("console.css", "base.html")):
        assert browser.get(wrong).status == 404


def test_an_unknown_address_is_a_page_for_people_only(browser: Browser) -> None:
    person = browser.get("/nowhere", accept="text/html,*/*")
    assert (person.status, person.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert person.headers["content-security-policy"] == POLICY
    for target, accept in (("/nowhere", "application/json"), ("/api/v1/nowhere", "text/html")):
        program = browser.get(target, accept=accept)
        assert (program.status, program.code) == (404, "no-such-resource")
