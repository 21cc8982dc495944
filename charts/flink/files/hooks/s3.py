"""Whether the store of the state takes the credentials of the coming revision, which Secrets alone know."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import time
from typing import Dict, Tuple
from urllib.parse import urlsplit

from .errors import Failed, HttpError, Unreachable
from .http_client import Http
from .wanted import S3

KEYS = ("STATE_S3_ACCESS_KEY", "STATE_S3_SECRET_KEY")
_SECONDS = 3


def check(s3: S3, *, replaces: bool) -> None:
    """Raises Failed, before anything is stopped, if the store refuses the credentials or has no such bucket.

    A store that does not answer, or says anything else, is no reason. `replaces`: there is a JobManager, which pods with these
    credentials replace; pods of an install wait for Secret and bucket.
    """
    access, secret = (os.environ.get(name, "").strip() for name in KEYS)  # as the client of Flink reads them
    if not (access and secret):
        if replaces:
            raise Failed(
                f"state.s3.credentialsSecret names the Secret {s3.secret}, which is not there, or lacks {' or '.join(s3.keys)}: "
                "the pods of this revision would not start. Make it. Nothing was changed."
            )
        return
    if access.startswith("ASIA"):
        return  # a temporary one counts with a token, which the pods have from elsewhere
    for bucket in s3.buckets:
        try:
            code = _refusal(s3, bucket, (access, secret))
        except (Unreachable, ValueError):  # ValueError: no address that Python can read
            return
        if code in _REFUSALS and (replaces or code != "NoSuchBucket"):
            sentence = _REFUSALS[code].format(endpoint=_url(s3), secret=s3.secret, bucket=bucket)
            raise Failed(f"{sentence} Nothing was changed.")


_REFUSALS = {
    "InvalidAccessKeyId": "The store {endpoint} does not know the access key in the Secret {secret}, which "
    "state.s3.credentialsSecret names: put one there that may use the bucket {bucket}.",
    "SignatureDoesNotMatch": "The store {endpoint} does not accept the secret key in the Secret {secret}, which "
    "state.s3.credentialsSecret names: put the one there that belongs to the access key.",
    "NoSuchBucket": "The store {endpoint} has no bucket {bucket}: make it, or correct state.root or state.folders.",
}


def _refusal(s3: S3, bucket: str, keys: Tuple[str, str]) -> str:
    """The store's code of an error, if any, when it lists the bucket. Raises Unreachable, or ValueError."""
    parts = urlsplit(_url(s3))
    # Clients leave the port of the scheme out of what they sign.
    store = re.sub(":443$" if parts.scheme == "https" else ":80$", "", parts.netloc)
    host, uri = (store, f"/{bucket}") if s3.path_style else (f"{bucket}.{store}", "/")
    query = "list-type=2&max-keys=1"
    try:
        headers = _signed(host, uri, query, _region(s3), keys)
        Http(f"{parts.scheme}://{host}", seconds=_SECONDS).text("GET", f"{uri}?{query}", headers)
        return ""
    except HttpError as error:
        code = re.search(r"<Code>(\w+)</Code>", error.answer)
        # Some say so of another region.
        return code[1] if code and "region" not in error.answer.lower() else ""


def _url(s3: S3) -> str:
    endpoint = s3.endpoint or f"s3.{_region(s3)}.amazonaws.com"
    return endpoint if "://" in endpoint else f"https://{endpoint}"


def _region(s3: S3) -> str:
    of_endpoint = re.search(r"\bs3[.-]([a-z]+-[a-z-]+-[0-9]+)\.", s3.endpoint)
    return s3.region or (of_endpoint[1] if of_endpoint else "us-east-1")


def _signed(host: str, uri: str, query: str, region: str, keys: Tuple[str, str]) -> Dict[str, str]:
    """The headers of a GET without a body: Signature Version 4 of AWS,
    https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html."""
    access, secret = keys
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    empty = hashlib.sha256().hexdigest()
    headers = {"host": host, "x-amz-content-sha256": empty, "x-amz-date": moment}
    names = ";".join(headers)
    request = "\n".join(["GET", uri, query, *(f"{name}:{value}" for name, value in headers.items()), "", names, empty])
    scope = f"{moment[:8]}/{region}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = f"AWS4{secret}".encode()
    for part in (*scope.split("/"), text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    credential = f"AWS4-HMAC-SHA256 Credential={access}/{scope}, SignedHeaders={names}, Signature={key.hex()}"
    return {**headers, "Authorization": credential}
