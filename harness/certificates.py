"""Certificates for tests, made by the machine's openssl."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path


class Authority:
    """One that signs certificates; its files are in `directory`. Unless another one has signed its own, it does so itself."""

    def __init__(self, directory: Path, *, signed_by: Path | None = None) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        above = (f"-CA={signed_by}/ca.crt", f"-CAkey={signed_by}/ca.key") if signed_by else ()
        subject = f"-subj=/CN=tests {directory.name}"
        self._openssl("req", "-x509", *above, *_NEW_KEY, "-keyout=ca.key", "-out=ca.crt", "-days=30", subject)

    @property
    def certificate(self) -> str:
        return (self.directory / "ca.crt").read_text()

    def issue(
        self, names: Sequence[str], *, name: str = "flink", days: int = 2, usages: str = "serverAuth,clientAuth"
    ) -> dict[str, str]:
        """tls.crt, tls.key and ca.crt as a Secret has them; with `days` below 0 it has expired."""
        alternatives = ",".join(f"DNS:{name}" for name in names)
        (self.directory / "extensions").write_text(f"subjectAltName={alternatives}\nextendedKeyUsage={usages}\n")
        self._openssl("req", *_NEW_KEY, "-keyout=tls.key", "-out=tls.csr", f"-subj=/CN={name}")
        signed = ("-CA=ca.crt", "-CAkey=ca.key", "-CAcreateserial", f"-days={days}", "-extfile=extensions")
        self._openssl("x509", "-req", "-in=tls.csr", *signed, "-out=tls.crt")
        return {name: (self.directory / name).read_text() for name in ("tls.crt", "tls.key", "ca.crt")}

    def _openssl(self, *options: str) -> None:
        argv = [word for option in options for word in option.split("=", 1)]
        subprocess.run(["openssl", *argv], cwd=self.directory, check=True, capture_output=True)


_NEW_KEY = ("-newkey=rsa:2048", "-nodes")


def write(certificates: dict[str, str], directory: Path) -> Path:
    """Into a directory, as a Secret is mounted."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in certificates.items():
        (directory / name).write_text(text)
    return directory
