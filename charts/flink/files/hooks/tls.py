"""How a JobManager that speaks HTTPS is asked, and why it is not."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Optional

from .errors import Untrusted
from .http_client import trusting

_CERTIFICATES = Path("/opt/flink/tls/rest")  # ca.crt and, where servers ask for it, tls.crt and tls.key
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
    try:
        made = trusting(str(_CERTIFICATES / "ca.crt"))
        if (_CERTIFICATES / "tls.key").exists():
            made.load_cert_chain(_CERTIFICATES / "tls.crt", _CERTIFICATES / "tls.key")
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
_EXPIRED, _NAMES = 10, (62, 64)


def _remedy(code: int, secret: str) -> str:
    if code == _EXPIRED:
        return (
            f"Put a new one into Secret {secret}, and restart JobManager and TaskManagers with `kubectl rollout restart`: a job "
            "resumes from its newest checkpoint."
        )
    if code in _NAMES:
        return (
            f"Put one for this name into Secret {secret}, and restart JobManager and TaskManagers with `kubectl rollout restart`."
        )
    return f"Add the authority that signed it to ca.crt in Secret {secret}, beside the others."
