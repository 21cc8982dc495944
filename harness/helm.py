"""Helm as an object: the operations of Helm 3 and 4, with homes of its own and errors with Helm's output."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Values = Mapping[str, Any]
Files = Sequence[str | Path]


def merged(*trees: Values) -> dict[str, Any]:
    """Values with those of later trees over those of earlier ones; mappings are merged at every depth, as Helm does it."""
    result: dict[str, Any] = {}
    for tree in trees:
        for key, value in tree.items():
            both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
            result[key] = merged(result[key], value) if both else copy.deepcopy(value)
    return result


class HelmError(RuntimeError):
    """Helm ended with a code other than 0; the text holds the command and what Helm wrote."""

    def __init__(self, command: Sequence[str], code: int, stdout: str, stderr: str) -> None:
        super().__init__(f"{' '.join(command)}: exit code {code}\n{stderr.strip()}\n{stdout.strip()}".rstrip())
        self.stdout = stdout
        self.stderr = stderr


class Helm:
    """One Helm binary and one cluster.

    Values are files, later ones win, and a mapping that wins over the files. Without a kubeconfig only
    `template` and `lint` can be used; the user's own kubeconfig, repositories and plugins are never touched.
    `timeout` is a duration as Helm writes it, "5m".
    """

    def __init__(self, binary: str | Path = "helm", kubeconfig: str | Path | None = None) -> None:
        self.binary = str(binary)
        self._kubeconfig = str(kubeconfig or os.devnull)
        self._homes = tempfile.mkdtemp(prefix="helm-homes-")
        weakref.finalize(self, shutil.rmtree, self._homes, ignore_errors=True)

    def run(self, *arguments: str | Path, stdin: str | None = None) -> str:
        """Run `helm ARGUMENTS` and return its standard output. Raises HelmError."""
        return self._do(arguments, stdin).stdout

    def _environment(self) -> dict[str, str]:
        homes = {f"HELM_{kind}_HOME": f"{self._homes}/{kind.lower()}" for kind in ("CACHE", "CONFIG", "DATA")}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HELM_")}
        return {**environment, **homes, "KUBECONFIG": self._kubeconfig}

    def _do(self, arguments: Sequence[str | Path], stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        command = [self.binary, *map(str, arguments)]
        done = subprocess.run(
            command,
            env=self._environment(),
            input=stdin or "",
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise HelmError(command, done.returncode, done.stdout, done.stderr)
        return done

    def _with_values(self, arguments: Sequence[str | Path], values: Values | None, files: Files) -> str:
        options = [f"--values={file}" for file in files]
        if not values:
            return self.run(*arguments, *options)
        return self.run(*arguments, *options, "--values=-", stdin=json.dumps(values))

    def template(
        self,
        chart: str | Path,
        values: Values | None = None,
        *,
        files: Files = (),
        name: str = "release-name",
        namespace: str = "default",
        kube_version: str | None = None,
        api_versions: Sequence[str] = (),
    ) -> str:
        """The manifests that an install would send, as one YAML text; `api_versions` are of the cluster, beside Helm's list."""
        arguments = ["template", name, chart, f"--namespace={namespace}", *(f"--api-versions={api}" for api in api_versions)]
        if kube_version:
            arguments.append(f"--kube-version={kube_version}")
        return self._with_values(arguments, values, files)

    def notes(self, chart: str | Path, values: Values | None = None, *, files: Files = (), name: str = "release-name") -> str:
        """The notes that an install would print; only Helm 4 prints them without a cluster."""
        arguments = ["install", name, chart, "--dry-run=client", "--hide-secret"]
        return self._with_values(arguments, values, files).partition("\nNOTES:\n")[2]

    def lint(self, chart: str | Path, values: Values | None = None, *, files: Files = ()) -> str:
        return self._with_values(["lint", "--strict", chart], values, files)

    def install(
        self,
        name: str,
        chart: str | Path,
        values: Values | None = None,
        *,
        files: Files = (),
        namespace: str,
        wait: bool = True,
        timeout: str = "5m",
        options: Sequence[str] = (),
    ) -> str:
        arguments = ["install", name, chart, *_common(namespace, wait, timeout), *options]
        return self._with_values(arguments, values, files)

    def upgrade(
        self,
        name: str,
        chart: str | Path,
        values: Values | None = None,
        *,
        files: Files = (),
        namespace: str,
        wait: bool = True,
        timeout: str = "5m",
        options: Sequence[str] = (),
    ) -> str:
        """Upgrade to exactly these values: those of the former revision are not kept."""
        arguments = ["upgrade", name, chart, "--reset-values", *_common(namespace, wait, timeout), *options]
        return self._with_values(arguments, values, files)

    def upgrade_killed(self, name: str, chart: str | Path, values: Values, *, namespace: str, after: float) -> int | None:
        """Like upgrade(), ended by SIGKILL after that many seconds; the exit code if it was quicker, None if it was killed."""
        arguments = [self.binary, "upgrade", name, str(chart), "--reset-values", *_common(namespace, True, "5m")]
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(values, file)
            file.flush()
            process = subprocess.Popen(
                [*arguments, f"--values={file.name}"],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            try:
                return process.wait(after)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                return None

    def rollback(
        self, name: str, revision: int = 0, *, namespace: str, wait: bool = True, timeout: str = "5m", options: Sequence[str] = ()
    ) -> str:
        """Go back to `revision`, 0 is the previous one."""
        return self.run("rollback", name, str(revision), *_common(namespace, wait, timeout), *options)

    def history(self, name: str, *, namespace: str) -> list[dict[str, Any]]:
        """The revisions that Helm knows, oldest first, each with revision and status."""
        return json.loads(self.run("history", name, f"--namespace={namespace}", "--max=256", "--output=json"))

    def uninstall(self, name: str, *, namespace: str, wait: bool = True, timeout: str = "5m") -> str:
        """The output of Helm, and of its hooks, which Helm prints as errors."""
        done = self._do(["uninstall", name, *_common(namespace, wait, timeout)])
        return done.stdout + done.stderr

    def test(self, name: str, *, namespace: str, timeout: str = "5m") -> str:
        """Run the chart's tests and return Helm's report.

        Without --logs: Helm 3 looks for them when it has removed the pods of the tests that succeeded.
        """
        return self.run("test", name, *_common(namespace, False, timeout))


def _common(namespace: str, wait: bool, timeout: str) -> list[str]:
    return [f"--namespace={namespace}", f"--timeout={timeout}", *(["--wait"] if wait else [])]
