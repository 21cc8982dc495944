"""How a JobManager that speaks HTTPS is asked, why it is not, and whether the coming one can."""

from __future__ import annotations

import contextlib
import ssl
from pathlib import Path
from typing import Optional

from .errors import Failed, Untrusted
from .http_client import trusting
from .wanted import Certificates, Wanted

_CERTIFICATES = Path("/opt/flink/tls")  # a directory for each part of tls in the values
_FILES = ("ca.crt", "tls.crt", "tls.key")
_MISSING = -1


def context(url: str, secret: str) -> Optional[ssl.SSLContext]:
    """None for plain HTTP. Raises Untrusted if the Secret does not have what it should."""
    if not url.startswith("https:"):
        return None
    if not secret:
        # The JobManager is of the revision before. This one speaks plain HTTP, with whoever answers; so it does here.
        made = ssl.create_default_context()
        made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
        return made
    return _presenting("rest")


def of_zookeeper(secret: str) -> Optional[ssl.SSLContext]:
    """None for servers that speak plain. Raises Failed if the Secret does not have what it should."""
    try:
        return _presenting("zookeeper") if secret else None
    except Untrusted as error:
        raise Failed(f"{sentence(error, '', secret)} highAvailability.zookeeper.tls names it.") from error


def _presenting(part: str) -> ssl.SSLContext:
    directory = _CERTIFICATES / part
    try:
        made = trusting(str(directory / "ca.crt"))
        if (directory / "tls.key").exists():  # where servers ask for it
            made.load_cert_chain(directory / "tls.crt", directory / "tls.key")
    except OSError as error:  # an SSLError too
        raise Untrusted(_MISSING, str(error)) from error
    return made


def sentence(error: Untrusted, url: str, secret: str) -> str:
    """What is wrong with the certificates, and what to do."""
    if error.code == _MISSING:
        return f"Secret {secret} has no ca.crt, or no tls.crt and tls.key, that can be read ({error}): put them there in PEM."
    if not error.code:
        named = f"look whether the certificate in Secret {secret} has expired, and whether ca.crt has its authority"
        none = "leave tls.rest.secretName in the values for this upgrade"
        return f"{url} does not accept the certificate of this hook ({error}): {named if secret else none}."
    reason = str(error).rstrip(".")
    return f"The certificate of {url} is not accepted: {reason}. {_remedy(error.code, secret)}"


# Numbers of OpenSSL's X509_V_ERR_....
_EXPIRED, _NAMES, _AUTHORITIES = (10,), (62, 64), (2, 18, 19, 20, 21)


def _remedy(code: int, secret: str) -> str:
    if code in _AUTHORITIES:
        return f"Add the authority that signed it to ca.crt in Secret {secret}, beside the others."
    one = "a new one" if code in _EXPIRED else "one for this name" if code in _NAMES else "one that fits"
    then = ": a job resumes from its newest checkpoint" if code in _EXPIRED else ""
    return f"Put {one} into Secret {secret}, and restart JobManager and TaskManagers with `kubectl rollout restart`{then}."


def check(wanted: Wanted) -> None:
    """Raises Failed, before anything is stopped for them, if pods of the coming revision would not accept each other."""
    made = {obj["spec"]["secretName"] for obj in wanted.objects if obj["kind"] == "Certificate"}
    for one in wanted.certificates:
        missing = [name for name in _FILES if not (_CERTIFICATES / one.part / name).exists()]
        if len(missing) == len(_FILES) and one.secret in made:
            continue  # cert-manager has yet to make it
        why = f"has no {', '.join(missing)}: put there, in PEM, what is missing" if missing else _unfit(one)
        if why:
            raise Failed(f"Secret {one.secret}, which tls.{one.part} needs, {why}. Nothing was changed.")


def _unfit(one: Certificates) -> str:
    """Why two pods with these certificates would not speak with each other; empty if they would."""
    directory = _CERTIFICATES / one.part
    files = directory / "tls.crt", directory / "tls.key"
    try:
        client, server = (
            trusting(str(directory / "ca.crt"), purpose) for purpose in (ssl.Purpose.SERVER_AUTH, ssl.Purpose.CLIENT_AUTH)
        )
        server.load_cert_chain(*files)
        client.check_hostname = bool(one.host)
        if one.clients:
            client.load_cert_chain(*files)
            server.verify_mode = ssl.CERT_REQUIRED
        _shake_hands(client, server, one.host)
    except ssl.SSLCertVerificationError as error:
        return f"has a certificate that its own ca.crt does not make good ({error.verify_message}): put one there that does"
    except OSError as error:  # an SSLError too
        return f"has a ca.crt, tls.crt or tls.key that does not fit the others ({error}): put three there, in PEM, that do"
    return ""


def _shake_hands(client: ssl.SSLContext, server: ssl.SSLContext, host: str) -> None:
    """In memory. Raises SSLError."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = (
        client.wrap_bio(back, there, server_hostname=host or None),
        server.wrap_bio(there, back, server_side=True),
    )
    for side in sides * 3:
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()
