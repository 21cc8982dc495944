"""A registry for OCI artifacts on this machine, and a key to sign charts with: what a release needs, for as long as a test runs.

It needs `crane` (go-containerregistry) and `gpg` on PATH.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

OWNER = "Trial Key"


@contextmanager
def serve() -> Iterator[str]:
    """A registry that keeps everything in memory: its address, "127.0.0.1:<port>"."""
    command = ["crane", "registry", "serve", "--address=127.0.0.1:0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr
            output = ""
            for line in server.stderr:
                output += line
                if port := re.search(r"serving on port (\d+)", line):
                    break
            else:
                raise RuntimeError(f"crane ended before it served: {output}")
            yield f"127.0.0.1:{port[1]}"
        finally:
            server.kill()


@dataclass(frozen=True)
class TrialKey:
    """A key of `owner` without a passphrase: the files that sign and verify."""

    owner: str
    secret: Path
    public: Path


def trial_key(directory: Path) -> TrialKey:
    """Make a key in an empty directory."""
    home = directory / "gnupg"
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet"]
    key = TrialKey(OWNER, directory / "secret.gpg", directory / "public.gpg")
    try:
        subprocess.run([*gpg, "--passphrase", "", "--quick-generate-key", OWNER, "rsa2048", "sign", "1d"], check=True)
        for arguments, file in ((["--export-secret-keys"], key.secret), (["--export"], key.public)):
            subprocess.run([*gpg, "--output", str(file), *arguments, OWNER], check=True)
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=True)  # the agent would outlive the test
    return key
