"""One window of a browser at a site: somebody signs in, and what the browser itself complains of is kept."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Dialog, Page, expect

from haulage.testing.lab.lab import Lab

PATIENCE_MILLISECONDS = 60_000
"""Until something is seen; most comes by itself within two seconds."""
PASSWORD = "correct horse battery"
_MARK = "window.notLoadedAnew = true"


class Window:
    """Has cookies of its own."""

    def __init__(self, chromium: Chromium, lab: Lab) -> None:
        self._site = lab["HQ1"]
        self.url: str = self._site.api.get("/site")["url"]
        """As the console knows itself: with the line that may be slow in between."""
        self.context = chromium.new_context(ignore_https_errors=True, base_url=self.url)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MILLISECONDS)
        self.troubles: list[str] = []
        """Errors of scripts, what the policy stopped, dialogs, and what was asked of anybody else."""
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("console", lambda said: self.troubles.append(said.text) if "Content Security" in said.text else None)
        self.page.on("request", lambda asked: self._own(asked.url))
        self.page.on("dialog", self._dismiss)

    def sign_in_local(self, to: str = "/") -> Page:
        """With the token of the server's home."""
        self.page.goto(to)
        secret = self.page.get_by_label("Token")
        if not secret.is_visible():
            self.page.get_by_text("With the token of this server").click()
        secret.fill(Path(self._site.home, "keys", "admin.token").read_text().strip())
        secret.press("Enter")
        return self._signed_in()

    def sign_in(self, name: str, password: str = PASSWORD) -> Page:
        """With a name and a password, on the page that asks for them."""
        self.page.get_by_label("Name", exact=True).fill(name)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.page.get_by_label("Password", exact=True).press("Enter")
        return self.page

    def mark(self) -> None:
        """From here on it can be told whether the page was loaded anew."""
        self.page.evaluate(_MARK)

    @property
    def marked(self) -> bool:
        """Whether it is still the page that was marked."""
        return bool(self.page.evaluate(_MARK.partition(" ")[0]))

    def _signed_in(self) -> Page:
        expect(self.page.get_by_role("button", name="Sign out")).to_be_visible()
        return self.page

    def _own(self, url: str) -> None:
        if not url.startswith(("data:", "blob:")) and urlsplit(url).netloc != urlsplit(self.url).netloc:
            self.troubles.append(f"asked for {url}")

    def _dismiss(self, dialog: Dialog) -> None:
        self.troubles.append(f"dialog: {dialog.message}")
        dialog.dismiss()
