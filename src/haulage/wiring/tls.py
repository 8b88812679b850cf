"""The certificate a site's server shows: the signed one from its own definition, or until that has come one that only this
machine's command line believes."""

from __future__ import annotations

import contextlib

from haulage.base.clock import Clock
from haulage.base.errors import HaulageError
from haulage.base.files import write_durable
from haulage.domain.estate import records as estate
from haulage.engine.database.transaction import Database
from haulage.engine.trust.certificates import check_server_files, self_issue
from haulage.server.listener import Address
from haulage.wiring.home import Home

CERTIFICATE = "tls-certificate.pem"


class ServerFiles:
    """Keeps the certificate file in line with the definition."""

    def __init__(self, home: Home, database: Database, clock: Clock, authority_pem: str) -> None:
        self._home = home
        self._database = database
        self._clock = clock
        self._authority_pem = authority_pem
        self._path = home.file("trust", CERTIFICATE)

    def __call__(self) -> Address:
        """Where to listen, with the files as they should be now. Raises UsageError for one no peer would accept (B107)."""
        with self._database.reading() as tx:
            me = estate.find_site(tx, self._home.code)
        key = self._home.keys.read("tls")
        if me is not None and me.certificate:
            check_server_files(key, me.certificate, self._authority_pem, url=me.url, now=self._clock.now())
            self._keep(me.certificate)
        elif not self._is_for(key):
            code, url, now = self._home.code, self._home.url, self._clock.now()
            self._keep(self_issue(key, code=code, url=url, now=now))
        host, port = self._home.listen
        return Address(host=host, port=port, certificate_path=self._path, key_path=self._home.keys.path("tls"))

    def _is_for(self, key: bytes) -> bool:
        """Whether the provisional certificate that lies there is for this key; foreign is what it is meant to be."""
        try:
            check_server_files(key, self._there(), self._authority_pem, url=self._home.url, now=self._clock.now())
        except HaulageError as error:
            return error.code == "certificate-foreign"
        return True

    def _keep(self, certificate: str) -> None:
        if self._there() != certificate:
            write_durable(self._path, certificate.encode())

    def _there(self) -> str:
        with contextlib.suppress(OSError), open(self._path, encoding="ascii") as file:
            return file.read()
        return ""
