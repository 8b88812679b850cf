"""One mail to one mail server. Remembers nothing; every failure is an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from email.message import EmailMessage

import aiosmtplib

from haulage.base.errors import HaulageError
from haulage.base.notify_settings import EmailSettings
from haulage.base.text import shown
from haulage.domain.telling.notifier import Answer, Outcome
from haulage.engine.trust.keystore import read_secret
from haulage.server.telling.tls import context_of


async def deliver(settings: EmailSettings, mail: EmailMessage) -> Answer:
    """One try, within the time of the settings. Some recipients refused and some not is an arrival that says who was refused."""
    try:
        password = await asyncio.to_thread(_password, settings)
        context = await asyncio.to_thread(context_of, settings.ca_file)
    except HaulageError as error:
        return Answer(outcome=Outcome.FAILED, said=error.message)
    server = aiosmtplib.SMTP(
        hostname=settings.host.strip("[]"),
        port=settings.port_used,
        use_tls=settings.security == "tls",
        start_tls=settings.security == "starttls",
        tls_context=None if settings.security == "none" else context,
        username=settings.user or None,
        password=password or None,
        timeout=settings.timeout_seconds,
    )
    arrived: Answer | None = None
    try:
        async with asyncio.timeout(settings.timeout_seconds), server:
            arrived = _arrived(*await server.send_message(mail, sender=settings.sender, recipients=list(settings.to)))
    except TimeoutError:
        return arrived or Answer(outcome=Outcome.FAILED, said=f"not handed over within {settings.timeout_seconds} seconds")
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        # Once the server has taken the mail, nothing that goes wrong while parting may send it twice.
        return arrived or Answer(outcome=Outcome.FAILED, said=_trouble(error))
    finally:
        server.close()
    return arrived


def _arrived(refused: Mapping[str, aiosmtplib.SMTPResponse], said: str) -> Answer:
    note = "".join(f"; {who} was refused: {why.code} {why.message}" for who, why in refused.items())
    return Answer(outcome=Outcome.TOLD, said=shown(said + note, limit=500))


def _password(settings: EmailSettings) -> str:
    return read_secret(settings.password_file).decode("utf-8", "replace").split("\n", 1)[0].rstrip("\r") if settings.user else ""


def _trouble(error: Exception) -> str:
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        text = "; ".join(f"{one.recipient} was refused: {one.code} {one.message}" for one in error.recipients)
    elif isinstance(error, aiosmtplib.SMTPResponseException):
        text = f"{error.code} {error.message}"
    else:
        text = str(error) or type(error).__name__
    return shown(text, limit=400)
