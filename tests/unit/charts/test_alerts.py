"""The alerts, tried by promtool on whole releases: each fault fires its own alert and no other one, the good course none."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ci.core.paths import DOCS, FLINK
from ci.images import monitoring
from harness.helm import HelmError, merged
from harness.manifests import render

Tree = dict[str, Any]
Series = Mapping[str, str]

ALERTS = {alert["alert"]: alert for alert in yaml.safe_load((FLINK / "files" / "alerts.yaml").read_text())}
JOB: Tree = {"flink": {"type": "job"}}
NATIVE: Tree = {"flink": {"type": "job", "mode": "native"}}
BOUNDED: Tree = {**JOB, "job": {"bounded": True}}
SUSPENDED: Tree = {**JOB, "job": {"state": "suspended"}}
SESSION: Tree = {"session": {"jobs": [{"name": name, "jar": {"file": "/a.jar"}} for name in ("a", "b")]}}
RULE: Tree = {"metrics": {"prometheusRule": {"enabled": True}}}


def rules(values: Tree) -> list[Tree]:
    (group,) = render(FLINK, merged(RULE, values), name="my", namespace="ns").one("PrometheusRule")["spec"]["groups"]
    return list(group["rules"])


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([monitoring.programs() / "promtool", *arguments], capture_output=True, text=True)


def of_kubernetes(name: str, **labels: str) -> str:
    pairs = ",".join(f'{key}="{value}"' for key, value in {"namespace": "ns", **labels}.items())
    return f"{name}{{{pairs}}}"


def series(name: str, **labels: str) -> str:
    """A series of the release `my` in `ns`, as its pods have it."""
    role = "taskmanager" if name.startswith("flink_taskmanager") else "jobmanager"
    common = {"app_kubernetes_io_instance": "my", "app_kubernetes_io_name": "flink", "pod": f"my-flink-{role}-1"}
    return of_kubernetes(name, **common, **labels)


def of_job(name: str, **labels: str) -> str:
    return series(name, job_name="kdv", job_id="0", **labels)


LEADER = series("flink_jobmanager_numRegisteredTaskManagers")
ALL_RUN = of_job("flink_jobmanager_job_allSubTasksRunningOrFinishedState")
RUNS = of_job("flink_jobmanager_job_runningState")
RESTARTS = of_job("flink_jobmanager_job_numRestarts")
FAILED = of_job("flink_jobmanager_job_numberOfFailedCheckpoints")
COMPLETED = of_job("flink_jobmanager_job_numberOfCompletedCheckpoints")
BEGUN = of_job("flink_jobmanager_job_totalNumberOfCheckpoints")
CHECKPOINT = of_job("flink_jobmanager_job_lastCompletedCheckpointId")
DURATION = of_job("flink_jobmanager_job_lastCheckpointDuration")
WAITING = of_job("flink_taskmanager_job_task_backPressuredTimeMsPerSecond", task_name="a", subtask_index="0")
LAG = of_job("flink_taskmanager_job_task_operator_pendingRecords", operator_name="Source: adverts[1]", subtask_index="0")
DROPPED = of_job("flink_taskmanager_job_task_operator_numLateRecordsDropped", operator_name="a")
READ = "flink_taskmanager_job_task_operator_numRecordsIn"
LATE, BROKEN, WINDOWS = (of_job(READ, operator_name=name) for name in ("late[10]", "broken[7]", "windows"))
HEAP, METASPACE = (f"flink_taskmanager_Status_JVM_Memory_{area}_Used" for area in ("Heap", "Metaspace"))
AVAILABLE = of_kubernetes("kubelet_volume_stats_available_bytes", persistentvolumeclaim="my-flink-data")
PENDING = series("flink_jobmanager_numPendingTaskManagers")


def failed(job: str) -> str:
    return of_kubernetes("kube_job_failed", job_name=job, condition="true")


# An hour, a sample each half minute.
GOOD: Series = {
    LEADER: "1x120",
    ALL_RUN: "1x120",
    RUNS: "1x120",
    RESTARTS: "0x120",
    FAILED: "0x120",
    COMPLETED: "0+0.5x120",
    BEGUN: "0+0.5x120",
    CHECKPOINT: "0+0.5x120",
    DURATION: "400x120",
    WAITING: "100x120",
    LAG: "12000x120",
    DROPPED: "0x120",
    LATE: "0x120",
    BROKEN: "0x120",
    WINDOWS: "0+1000x120",
    series(HEAP): "95 95 40" + " 95 95 40" * 40,
    series(HEAP.replace("Used", "Max")): "100x120",
    series(METASPACE): "80x120",
    series(METASPACE.replace("Used", "Max")): "100x120",
    AVAILABLE: "50x120",
    of_kubernetes("kubelet_volume_stats_capacity_bytes", persistentvolumeclaim="my-flink-data"): "100x120",
    failed("my-flink-before"): "0x120",
}
# The job is restarted twice, its JobManager replaced, some checkpoints fail while tasks start, the lag comes and goes.
OPERATIONS: Series = {
    **GOOD,
    LEADER: "1x40 stale _x3 1x76",
    ALL_RUN: "1x40 stale _x3 0x1 1x75",
    RUNS: "1x40 stale _x3 1x76",
    RESTARTS: "0x20 1x10 2x90",
    FAILED: "0x20 4x100",
    LAG: "0x40 90000x2 80000-8000x10 0x70",
}


def firing(folder: Path, values: Tree, given: Series, *times: str) -> list[list[str]]:
    """The alerts that fire at each of the times, by name, each once."""
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "a", "rules": rules(values)}]}))
    # promtool shows what there is where that is not what was expected.
    other = [{"labels": "{none='0'}", "value": 0}]
    names = "count by (alertname) (ALERTS{alertstate='firing'})"
    test = {
        "interval": "30s",
        "input_series": [{"series": name, "values": text} for name, text in given.items()],
        "promql_expr_test": [{"expr": names, "eval_time": time, "exp_samples": other} for time in times],
    }
    (folder / "test.yaml").write_text(json.dumps({"rule_files": ["rules.yaml"], "evaluation_interval": "30s", "tests": [test]}))
    done = promtool("test", "rules", folder / "test.yaml")
    shown = re.findall(r"(?m)^ *got:(.*)$", done.stdout + done.stderr)
    assert len(shown) == len(times), done.stdout + done.stderr
    return [sorted(re.findall(r'alertname="(\w+)"', line)) for line in shown]


FAULTS: list[tuple[str, Tree, Series]] = [
    ("FlinkJobManagerAbsent", JOB, {LEADER: "1x100 stale"}),
    ("FlinkJobNotRunning", JOB, {ALL_RUN: "1x100 0x20"}),
    ("FlinkJobNotRunning", JOB, {ALL_RUN: "_x120", RUNS: "1x100 0x20"}),
    ("FlinkJobNotRunning", JOB, {ALL_RUN: "_x120", RUNS: "_x120"}),
    ("FlinkJobNotRunning", SESSION, {}),
    ("FlinkJobRestarting", JOB, {RESTARTS: "0x100 1x3 2x3 3x14"}),
    ("FlinkCheckpointsFailing", JOB, {FAILED: "0x80 1+1x40"}),
    ("FlinkCheckpointTooOld", JOB, {CHECKPOINT: "0+0.5x80 40x40"}),
    ("FlinkCheckpointTooOld", JOB, {CHECKPOINT: "-1x120", COMPLETED: "0x120"}),
    ("FlinkCheckpointTooLong", JOB, {DURATION: "400x100 400000x20"}),
    ("FlinkBackpressure", JOB, {WAITING: "0x60 900x60"}),
    ("FlinkLagGrowing", JOB, {LAG: "12000x60 12000+500x60"}),
    ("FlinkRecordsLate", JOB, {DROPPED: "0x110 7x10"}),
    ("FlinkRecordsLate", JOB, {LATE: "0x110 7x10"}),
    ("FlinkDeadLetters", JOB, {BROKEN: "0x110 7x10"}),
    ("FlinkTaskManagersMissing", merged(JOB, {"taskmanager": {"replicas": 2}}), {}),
    ("FlinkTaskManagersMissing", merged(JOB, {"taskmanager": {"autoscaling": {"enabled": True, "minReplicas": 2}}}), {}),
    ("FlinkTaskManagersMissing", NATIVE, {PENDING: "0x100 2x20"}),
    ("FlinkMemoryNearlyFull", JOB, {series(HEAP): "95x120"}),
    ("FlinkMemoryNearlyFull", JOB, {series(METASPACE): "95x120"}),
    ("FlinkVolumeNearlyFull", JOB, {AVAILABLE: "50x100 10x20"}),
    ("FlinkHookFailed", JOB, {failed("my-flink-before"): "0x110 1x10"}),
    ("FlinkHookFailed", JOB, {failed("my-flink-savepoint-29000000"): "1x120"}),
    ("FlinkBoundedJobFailed", BOUNDED, {failed("my-flink-jobmanager-01234567"): "1x120"}),
]


@pytest.mark.parametrize(("alert", "values", "fault"), FAULTS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_fault_fires_its_alert_and_no_other_one(alert: str, values: Tree, fault: Series, tmp_path: Path) -> None:
    assert firing(tmp_path, values, {**GOOD, **fault}, "1h") == [[alert]]


def test_every_alert_is_tried() -> None:
    assert {alert for alert, _, _ in FAULTS} == ALERTS.keys()


@pytest.mark.parametrize("values", [{}, JOB, NATIVE, BOUNDED], ids=["session", "job", "native", "bounded"])
@pytest.mark.parametrize("course", [GOOD, OPERATIONS], ids=["good", "operations"])
def test_the_good_course_fires_nothing(values: Tree, course: Series, tmp_path: Path) -> None:
    times = ("5m", "15m", "22m", "30m", "1h")
    assert firing(tmp_path, values, course, *times) == [[] for _ in times]


@pytest.mark.parametrize("values", [BOUNDED, SUSPENDED], ids=["bounded", "suspended"])
def test_what_has_no_jobmanager_by_intent_is_not_missed(values: Tree, tmp_path: Path) -> None:
    kubernetes = {name: text for name, text in GOOD.items() if name.startswith("ku")}
    assert firing(tmp_path, values, kubernetes, "1h") == [[]]


def test_another_release_fires_nothing_here(tmp_path: Path) -> None:
    faults: dict[str, str] = {}
    for _, _, fault in FAULTS:
        faults |= {name.replace('"my', '"my2'): text for name, text in fault.items()}
    elsewhere = {name.replace('namespace="ns"', 'namespace="ns2"').replace('"my2', '"my'): text for name, text in faults.items()}
    assert firing(tmp_path, JOB, {**GOOD, **faults, **elsewhere}, "1h") == [[]]


def test_an_alert_that_is_switched_off_is_not_there() -> None:
    off = {"metrics": {"prometheusRule": {"disabled": ["FlinkRecordsLate", "FlinkMemoryNearlyFull"]}}}
    names = {rule["alert"] for rule in rules(JOB)}
    assert names - {rule["alert"] for rule in rules(merged(JOB, off))} == {"FlinkRecordsLate", "FlinkMemoryNearlyFull"}
    with pytest.raises(HelmError, match=r"metrics[./]prometheusRule[./]disabled"):
        rules({"metrics": {"prometheusRule": {"disabled": ["FlinkRecordsTooLate"]}}})


def test_patience_scales_every_wait_and_window(tmp_path: Path) -> None:
    fault = {**GOOD, LEADER: "1x100 stale"}
    absent = ["FlinkJobManagerAbsent"]
    for patience, expected in ((1, [[], absent, absent]), (0.1, [absent, absent, absent]), (2, [[], [], absent])):
        values = merged(JOB, {"metrics": {"prometheusRule": {"patience": patience}}})
        assert firing(tmp_path, values, fault, "52m", "55m", "58m") == expected
    slow, quick = (
        str([[rule["expr"], rule.get("for")] for rule in rules({"metrics": {"prometheusRule": {"patience": factor}}})])
        for factor in (1, 0.01)
    )
    assert set(re.findall(r"[0-9]+s\b", quick)) == {"1s", "2s", "3s", "6s", "9s", "900s"}  # the last one is a threshold
    assert set(re.findall(r"[0-9]+s\b", slow)) == {"180s", "300s", "600s", "900s", "20s"}


@pytest.mark.parametrize("values", [{}, SESSION, JOB, NATIVE, BOUNDED, SUSPENDED], ids=str)
def test_prometheus_takes_the_rules(values: Tree, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "a", "rules": rules(values)}]}))
    checked = promtool("check", "rules", tmp_path / "rules.yaml")
    assert checked.returncode == 0, checked.stderr
    assert "%" not in re.sub(r"[0-9}] %", "", str([rule["expr"] for rule in rules(values)]))


def test_every_alert_has_its_section_in_the_runbooks() -> None:
    sections = re.findall(r"(?m)^## (Flink\w+)$", (DOCS / "runbooks.md").read_text())
    assert sections == list(ALERTS)
    url = "https://wiki.example/runbooks"
    linked = rules(merged(JOB, {"metrics": {"prometheusRule": {"runbookUrl": url}}}))
    assert {rule["annotations"]["runbook_url"] for rule in linked} <= {f"{url}#{alert.lower()}" for alert in ALERTS}
    assert not any("runbook_url" in rule["annotations"] for rule in rules(JOB))


def test_each_says_how_bad_it_is_and_what_it_is_in_a_sentence() -> None:
    for rule in rules(JOB):
        assert rule["labels"].keys() - {"memory"} == {"severity", "release"}
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert re.fullmatch(r"[A-Z{m].*[^.]\.", rule["annotations"]["summary"]), rule
