"""One status message to one webhook, as Standard Webhooks 1.0 has it: id, moment and an HMAC-SHA256 signature in three headers, and
the message in its stable JSON form as the body. Remembers nothing."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import email.utils
import hashlib
import hmac
import os
import ssl
from collections.abc import Mapping

import aiohttp
import msgspec

from haulage.base.errors import FormatError, HaulageError
from haulage.base.notify_settings import WebhookSettings
from haulage.base.text import shown
from haulage.domain.telling.notifier import Answer, Outcome
from haulage.domain.telling.views import View
from haulage.engine.status.message import StatusRecord
from haulage.engine.trust.keystore import read_secret
from haulage.server.telling.tls import context_of

ANSWER_BYTES = 4096
"""So much of an answer is read, for the person who looks why it was refused."""
SHOWN_CHARACTERS = 200
SECRET_BYTES = range(24, 65)
GONE = 410


def message_id(record: StatusRecord) -> str:
    """The id of one message, whoever is told and however often: its identity in the hierarchy."""
    return f"msg_{record.site}_{record.epoch}_{record.sequence}"


def signature(secrets: list[bytes], webhook_id: str, timestamp: str, body: bytes) -> str:
    """The header's value: one signature for each secret, so that receivers may change theirs in their own time."""
    signed = b".".join((webhook_id.encode(), timestamp.encode(), body))
    digests = (hmac.new(secret, signed, hashlib.sha256).digest() for secret in secrets)
    return " ".join("v1," + base64.b64encode(digest).decode() for digest in digests)


def secrets_of(settings: WebhookSettings, environment: Mapping[str, str]) -> list[bytes]:
    """The secrets, the newest first. Raises FormatError ``bad-webhook-secret`` without a word of what stands there, and what
    reading the file raises."""
    text = read_secret(settings.secret_file).decode("ascii", "replace") if settings.secret_file else ""
    if settings.secret_env:
        text = environment.get(settings.secret_env, "")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    try:
        found = [base64.b64decode(line.removeprefix("whsec_"), validate=True) for line in lines if line.startswith("whsec_")]
    except ValueError:
        found = []
    if not found or len(found) != len(lines) or any(len(each) not in SECRET_BYTES for each in found):
        where = settings.secret_file or settings.secret_env
        hint = 'Make one: echo "whsec_$(openssl rand -base64 32)" > FILE; chmod 600 FILE'
        raise FormatError("bad-webhook-secret", f"{where} does not hold whsec_ and 24 to 64 bytes in base64.", hint)
    return found


class Webhook:
    """One receiver."""

    def __init__(self, settings: WebhookSettings, version: str, environment: Mapping[str, str] | None = None) -> None:
        self._settings = settings
        self._version = version
        self._environment = os.environ if environment is None else environment

    async def send(self, webhook_id: str, view: View, now: dt.datetime) -> Answer:
        """One try; every failure is an answer. Ends within the time of its settings, whatever the receiver does."""
        settings = self._settings
        try:
            secrets = await asyncio.to_thread(secrets_of, settings, self._environment)
            context = await asyncio.to_thread(context_of, settings.ca_file)
        except HaulageError as error:
            return Answer(outcome=Outcome.FAILED, said=error.message)
        body, timestamp = msgspec.json.encode(view), str(int(now.timestamp()))
        headers = dict(_pair(each) for each in settings.headers) | {
            "Content-Type": "application/json",
            "User-Agent": f"haulage/{self._version}",
            "Accept-Encoding": "identity",
            "webhook-id": webhook_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": signature(secrets, webhook_id, timestamp, body),
        }
        try:
            return await self._post(body, headers, context, now)
        except TimeoutError:
            return Answer(outcome=Outcome.FAILED, said=f"no answer within {settings.timeout_seconds} seconds")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Some errors quote the address, whose path may be a secret.
            return Answer(outcome=Outcome.FAILED, said=_trouble(error).replace(settings.url, "the url"))

    async def _post(self, body: bytes, headers: Mapping[str, str], context: ssl.SSLContext, now: dt.datetime) -> Answer:
        limits = aiohttp.ClientTimeout(total=self._settings.timeout_seconds)
        connector = aiohttp.TCPConnector(ssl=context, force_close=True)
        async with (
            aiohttp.ClientSession(
                connector=connector, timeout=limits, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
            ) as session,
            session.post(self._settings.url, data=body, headers=headers, allow_redirects=False) as response,
        ):
            text = (await response.content.read(ANSWER_BYTES)).decode("utf-8", "replace")[:SHOWN_CHARACTERS]
            said = shown(f"{response.status} {response.reason or ''}".strip() + (f": {text}" if text else ""))
            if 200 <= response.status < 300:
                return Answer(outcome=Outcome.TOLD, said=said)
            if response.status == GONE:
                return Answer(outcome=Outcome.GONE, said=said)
            if 300 <= response.status < 400:
                said += " (redirects are not followed: set the url to where it leads)"
            return Answer(outcome=Outcome.FAILED, said=said, wait_seconds=_wait_seconds(response.headers.get("Retry-After"), now))


def _pair(header: str) -> tuple[str, str]:
    name, _colon, value = header.partition(":")
    return name, value.strip()


def _trouble(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return shown(f"its certificate was not believed: {error.certificate_error}", limit=300)
    return shown(str(error) or type(error).__name__, limit=300)


def _wait_seconds(text: str | None, now: dt.datetime) -> float | None:
    """What Retry-After says: seconds, or a date."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text.strip()[:9])
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)
    return max(0.0, (moment - now).total_seconds())
