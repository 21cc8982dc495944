"""Makes certificates for trials, by openssl.

`python3 -m hooks.certificates CERTIFICATES LABELS` makes each Secret of CERTIFICATES, {its name: {"names": [...], "rotation":
"..."}} as JSON, unless it is there and was made for the same. Its authority stays, so that old and new pods accept each other.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict

from .clock import Deadline
from .errors import Failed, HttpError, LookAgain, Unreachable
from .kubernetes import Kubernetes

Json = Dict[str, Any]

_THERE, _WORK = Path("/certificates"), Path("/work")
_SECONDS = 120
_AUTHORITY, _DAYS = 3650, 365
# What a Secret was made for.
_FOR = "made-for"


def ensure(kubernetes: Kubernetes, secret: str, wanted: Json, labels: Json) -> str:
    """What was done, as a sentence. Raises Failed, Unreachable and HttpError."""
    there = _THERE / secret
    made_for = json.dumps(wanted, sort_keys=True)
    known = (there / _FOR).read_text() if (there / _FOR).exists() else ""
    if known == made_for:
        return f"Secret {secret} stays."
    work = _WORK / secret
    work.mkdir()
    data = {**_signed(there, work, wanted["names"]), _FOR: made_for}
    encoded = {name: base64.b64encode(text.encode()).decode() for name, text in data.items()}
    if known:
        kubernetes.patch_secret(secret, encoded)
        return f"Secret {secret} has a new certificate."
    try:
        kubernetes.create_secret(secret, labels, encoded)
    except LookAgain as error:
        raise Failed(f"Secret {secret} is there, and this chart has not made it: name it in tls, or delete it.") from error
    return f"Secret {secret} is made: its certificate is for trials, and valid for {_DAYS} days."


def _signed(there: Path, work: Path, names: Any) -> Dict[str, str]:
    """The files of a Secret: an authority, which is the one before if there is one, and a certificate that it has signed."""
    for name in ("ca.crt", "ca.key"):
        if (there / name).exists():
            (work / name).write_text((there / name).read_text())
    new_key = ("-newkey", "rsa:2048", "-nodes")
    if not (work / "ca.key").exists():
        files = ("-keyout", "ca.key", "-out", "ca.crt")
        _openssl(work, "req", "-x509", *new_key, *files, "-days", str(_AUTHORITY), "-subj", "/CN=flink trial authority")
    alternatives = ",".join(f"DNS:{name}" for name in names)
    (work / "extensions").write_text(f"subjectAltName={alternatives}\nextendedKeyUsage=serverAuth,clientAuth\n")
    _openssl(work, "req", *new_key, "-keyout", "tls.key", "-out", "tls.csr", "-subj", "/CN=flink")
    signing = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", str(_DAYS), "-extfile", "extensions")
    _openssl(work, "x509", "-req", "-in", "tls.csr", *signing, "-out", "tls.crt")
    return {name: (work / name).read_text() for name in ("ca.crt", "ca.key", "tls.crt", "tls.key")}


def _openssl(work: Path, *words: str) -> None:
    try:
        subprocess.run(["openssl", *words], cwd=str(work), check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except FileNotFoundError as error:
        raise Failed(
            "The image of the hooks has no openssl, which tls.selfSigned needs: set hooks.image to one that has."
        ) from error
    except subprocess.CalledProcessError as error:
        raise Failed(f"openssl {words[0]} has failed: {error.output.decode(errors='replace')[-500:]}") from error


def main(certificates: str, labels: str) -> int:
    kubernetes = Kubernetes.of_this_pod(Deadline(_SECONDS))
    try:
        for secret, wanted in json.loads(certificates).items():
            print(ensure(kubernetes, secret, wanted, json.loads(labels)), flush=True)
    except (Failed, HttpError, Unreachable) as error:
        print(f"Error: {error}", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
