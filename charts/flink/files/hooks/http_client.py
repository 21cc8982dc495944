"""HTTP and HTTPS with JSON, by the standard library alone."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.request
from typing import Any, Dict, Optional

from .errors import HttpError, Unreachable, Untrusted

_SECONDS = 10
_NOT_YET = (502, 503, 504)


class Http:
    def __init__(self, url: str, bearer: str = "", context: Optional[ssl.SSLContext] = None, seconds: float = _SECONDS) -> None:
        self._url = url.rstrip("/")
        self._seconds = seconds
        self._headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        # A proxy of the environment leads out of the cluster, never to these servers.
        handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)]
        self._opener = urllib.request.build_opener(*handlers)

    def call(self, method: str, path: str, body: Any = None, content: str = "application/json") -> Any:
        """The JSON of the answer, None if it is empty. Raises Unreachable and HttpError."""
        data = None if body is None else json.dumps(body).encode()
        text = self.text(method, path, {"Content-Type": content, "Accept": "application/json"}, data)
        try:
            return json.loads(text) if text else None
        except ValueError as error:  # a proxy that answers with a page of HTML
            raise Unreachable(f"{method} {self._url}{path}: {error}") from error

    def text(self, method: str, path: str, headers: Dict[str, str], data: Optional[bytes] = None) -> str:
        """The answer. Raises Unreachable, HttpError, and ValueError for an address that is none."""
        request = urllib.request.Request(f"{self._url}{path}", data, {**self._headers, **headers}, method=method)
        try:
            with self._opener.open(request, timeout=self._seconds) as response:
                return str(response.read().decode(errors="replace"))
        except urllib.error.HTTPError as error:
            answer = _answer(error)
            if error.code in _NOT_YET:
                raise Unreachable(f"{method} {path}: {error.code}: {answer[:200]}") from error
            raise HttpError(method, path, error.code, answer) from error
        # A server that dies in the middle of its answer, too.
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, ssl.SSLError) and reason.reason in _OF_CERTIFICATES:
                raise Untrusted(getattr(reason, "verify_code", 0), getattr(reason, "verify_message", reason.reason)) from error
            raise Unreachable(f"{method} {self._url}{path}: {error}") from error


# Where one side does not accept the certificate of the other, or misses one.
_OF_CERTIFICATES = (
    "CERTIFICATE_VERIFY_FAILED",
    *(f"SSLV3_ALERT_{name}" for name in ("BAD_CERTIFICATE", "CERTIFICATE_EXPIRED", "CERTIFICATE_UNKNOWN", "HANDSHAKE_FAILURE")),
    *("TLSV1_ALERT_UNKNOWN_CA", "TLSV13_ALERT_CERTIFICATE_REQUIRED"),
)


def trusting(authorities: str, purpose: ssl.Purpose = ssl.Purpose.SERVER_AUTH) -> ssl.SSLContext:
    """Servers are those whose certificate one of the authorities in this file has signed; it may be below another one."""
    context = ssl.create_default_context(purpose, cafile=authorities)
    # Python 3.13 wants key identifiers, which many authorities lack.
    context.verify_flags = (context.verify_flags & ~ssl.VERIFY_X509_STRICT) | _PARTIAL_CHAIN
    return context


_PARTIAL_CHAIN = 0x80000  # OpenSSL's X509_V_FLAG_PARTIAL_CHAIN, of which Python has known since 3.10


def _answer(error: urllib.error.HTTPError) -> str:
    try:
        return error.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return ""
