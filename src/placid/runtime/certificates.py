"""Encryption between nodes, and towards clients: which certificate a node shows, and whose it accepts."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from placid.errors import InputError

__all__ = ["Certificates"]


@dataclass(frozen=True)
class Certificates:
    """A folder with ``certificate.pem`` and ``key.pem`` of the nodes, and ``ca.pem``, who signs what nodes accept; without
    it, the certificate itself.

    Who is signed by `ca.pem` belongs to the network, whatever its address: that authority should sign for nothing else.
    """

    folder: Path

    def __post_init__(self) -> None:
        """Raises InputError if a file is missing or is no certificate or key."""
        for file in (self.certificate, self.key):
            if not file.is_file():
                raise InputError(
                    "there is no such file: '--tls' is a folder with certificate.pem and key.pem, and ca.pem if another one "
                    "signed them",
                    where=str(file),
                )
        try:
            self.serving()
        except (ssl.SSLError, OSError) as error:
            raise InputError(f"cannot be used for TLS: {error}", where=str(self.folder)) from None

    @property
    def certificate(self) -> Path:
        return self.folder / "certificate.pem"

    @property
    def key(self) -> Path:
        return self.folder / "key.pem"

    @property
    def authority(self) -> Path:
        """Who signs."""
        signs = self.folder / "ca.pem"
        return signs if signs.is_file() else self.certificate

    def serving(self, *, mutual: bool = False) -> ssl.SSLContext:
        """For a server; `mutual`: only those with a certificate of the network get in."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate, self.key)
        if mutual:
            context.load_verify_locations(self.authority)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    @cached_property
    def asking(self) -> ssl.SSLContext:
        """For whoever asks a node: it shows the network's certificate, and wants to see one."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = False
        context.load_verify_locations(self.authority)
        context.load_cert_chain(self.certificate, self.key)
        return context
