"""Statements for a release's SQL gateway."""

from __future__ import annotations

from typing import Any

from harness import network
from harness.release import FlinkRelease
from harness.waits import wait_for

_BATCH = {"execution.runtime-mode": "batch", "table.dml-sync": "true"}


class Gateway:
    """One session, whose statements run as batches, and one after the other."""

    def __init__(self, flink: FlinkRelease) -> None:
        self._http, self._url = network.http(flink.cluster, flink.namespace, f"{flink.name}-flink-sql-gateway", "http")
        self._session = self._call("POST", "sessions", properties=_BATCH)["sessionHandle"]

    def rows(self, statement: str) -> list[list[Any]]:
        """Those of its result. Raises RuntimeError with what the gateway says of a statement that fails."""
        path = f"sessions/{self._session}/statements"
        operation = self._call("POST", path, statement=statement)["operationHandle"]
        fetched: list[list[Any]] = []
        path = f"sessions/{self._session}/operations/{operation}/result/0?rowFormat=JSON"

        def complete() -> bool:
            nonlocal path
            answer = self._call("GET", path)
            fetched.extend(row["fields"] for row in answer.get("results", {}).get("data", []))
            path = answer.get("nextResultUri", path).removeprefix("/v1/")
            return str(answer["resultType"]) == "EOS"

        wait_for(complete, timeout=180, what=f"the rows of {statement}")
        return fetched

    def _call(self, method: str, path: str, **body: Any) -> Any:
        answer = self._http.request(method, f"{self._url}/v1/{path}", json=body or None, timeout=60)
        if not answer.ok:
            raise RuntimeError(answer.text)
        return answer.json()
