"""Writes the dashboards of charts/flink/files/dashboards: one of a release, and one over all releases.

Runs in .build/venv. The panels are those of Grafana's own model, so that a field which Grafana does not know is no field here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement, TooltipDisplayMode
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    VariableRefresh,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from ci.core.paths import FLINK

FOLDER = FLINK / "files" / "dashboards"
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
# How the scrape calls a release.
RELEASE = "app_kubernetes_io_instance"

# Of the chosen release.
CLUSTER = f'namespace="$namespace",{RELEASE}="$release"'
JOB = f'{CLUSTER},job_name=~"$job"'
JOBS, TASKS, OPERATORS = "flink_jobmanager_job_", "flink_taskmanager_job_task_", "flink_taskmanager_job_task_operator_"


@dataclass(frozen=True)
class Panel:
    """A panel with one line for each series of `queries` {expression: legend}; `width` is of 24."""

    title: str
    queries: Mapping[str, str]
    unit: str = "short"
    width: int = 8
    about: str = ""
    stat: bool = False


def of(metric: str, labels: str = JOB) -> str:
    return f"{metric}{{{labels}}}"


def by(labels: str, expression: str, how: str = "sum") -> str:
    return f"{how} by ({labels}) ({expression})"


def rate(metric: str, labels: str = JOB) -> str:
    return f"rate({of(metric, labels)}[$__rate_interval])"


def operators(pattern: str) -> str:
    return f'{JOB},operator_name=~"{pattern}"'


def age(labels: str, selector: str) -> str:
    """Seconds since the last checkpoint. Where Flink (1.20) does not tell: since its number changed, up to an hour."""
    completed = f"max by ({labels}) ({of(f'{JOBS}lastCheckpointCompletedTimestamp', selector)} > 0) / 1000"
    changed = f"changes({of(f'{JOBS}lastCompletedCheckpointId', selector)}[1m]) > 0"
    return f"time() - ({completed} or max by ({labels}) (max_over_time(timestamp({changed})[1h:30s])))"


def full(area: str, role: str) -> str:
    used, most = (of(f"flink_{role}_Status_JVM_Memory_{area}_{end}", CLUSTER) for end in ("Used", "Max"))
    return f"{used} / {most}"


ONE_RELEASE: Mapping[str, Sequence[Panel]] = {
    "Jobs": [
        Panel("Running", {by("job_name", of(f"{JOBS}runningState")): "{{job_name}}"}, width=4, stat=True),
        Panel("For", {by("job_name", of(f"{JOBS}runningTime"), "max"): "{{job_name}}"}, "ms", width=4, stat=True),
        Panel(
            "Restarts", {by("job_name", f"increase({of(f'{JOBS}numRestarts')}[$__range])"): "{{job_name}}"}, width=4, stat=True
        ),
        Panel("Last checkpoint", {age("job_name", JOB): "{{job_name}}"}, "s", width=4, stat=True),
        Panel("TaskManagers", {f"max({of('flink_jobmanager_numRegisteredTaskManagers', CLUSTER)})": ""}, width=4, stat=True),
        Panel("Free slots", {f"max({of('flink_jobmanager_taskSlotsAvailable', CLUSTER)})": ""}, width=4, stat=True),
        Panel(
            "State",
            {
                by("job_name", of(f"{JOBS}{state}State")): f"{{{{job_name}}}} {state}"
                for state in ("running", "restarting", "failing", "initializing")
            },
            width=12,
        ),
        Panel("Restarts in 5 minutes", {by("job_name", f"increase({of(f'{JOBS}numRestarts')}[5m])"): "{{job_name}}"}, width=12),
    ],
    "Checkpoints": [
        Panel("Duration", {by("job_name", of(f"{JOBS}lastCheckpointDuration"), "max"): "{{job_name}}"}, "ms", width=6),
        Panel(
            "Size",
            {
                by("job_name", of(f"{JOBS}lastCheckpointFullSize"), "max"): "{{job_name}}",
                by("job_name", of(f"{JOBS}lastCheckpointSize"), "max"): "{{job_name}}, written",
            },
            "bytes",
            width=6,
        ),
        Panel(
            "Checkpoints in 5 minutes",
            {
                by("job_name", f"increase({of(f'{JOBS}numberOf{end}Checkpoints')}[5m])"): f"{{{{job_name}}}} {end.lower()}"
                for end in ("Completed", "Failed")
            },
            width=6,
        ),
        Panel("Age", {age("job_name", JOB): "{{job_name}}"}, "s", width=6),
    ],
    "Throughput and lag": [
        Panel(
            "Records of sources, a second",
            {by("job_name, operator_name", rate(f"{OPERATORS}numRecordsOut", operators("Source.*"))): "{{operator_name}}"},
            width=12,
        ),
        Panel(
            "Records of sinks, a second",
            {
                by(
                    "job_name, operator_name", rate(f"{OPERATORS}numRecordsIn", operators(".*(Sink|Writer).*"))
                ): "{{operator_name}}"
            },
            width=12,
        ),
        Panel(
            "Lag",
            {by("job_name, operator_name", of(f"{OPERATORS}pendingRecords")): "{{operator_name}}"},
            about="Records that wait in the source.",
        ),
        Panel(
            "Behind event time",
            {by("job_name, operator_name", of(f"{OPERATORS}watermarkLag"), "max"): "{{operator_name}}"},
            "ms",
            about="By how much the watermark of a source is behind the clock.",
        ),
        Panel(
            "Late, broken and dropped records",
            {
                by("job_name", rate(f"{OPERATORS}numRecordsIn", operators(r"late\\[[0-9]+\\]"))): "{{job_name}} late",
                by("job_name", rate(f"{OPERATORS}numRecordsIn", operators(r"broken\\[[0-9]+\\]"))): "{{job_name}} broken",
                by("job_name", rate(f"{OPERATORS}numLateRecordsDropped")): "{{job_name}} dropped as late",
            },
            about="A second. The KDV job puts late and broken records aside; Flink's own windows drop late ones.",
        ),
    ],
    "Tasks": [
        Panel(
            title,
            {by("job_name, task_name", f"{of(f'{TASKS}{metric}TimeMsPerSecond')} / 1000", "max"): "{{task_name}}"},
            "percentunit",
            width=12,
            about="Of the time of its subtask that has most.",
        )
        for title, metric in (("Busy", "busy"), ("Waiting for those behind (backpressure)", "backPressured"))
    ],
    "Memory and CPU": [
        Panel("Heap", {full("Heap", role): "{{pod}}" for role in ("taskmanager", "jobmanager")}, "percentunit", width=6),
        Panel(
            "Metaspace", {full("Metaspace", role): "{{pod}}" for role in ("taskmanager", "jobmanager")}, "percentunit", width=6
        ),
        Panel(
            "Managed memory",
            {
                f"{of('flink_taskmanager_Status_Flink_Memory_Managed_Used', CLUSTER)}"
                f" / {of('flink_taskmanager_Status_Flink_Memory_Managed_Total', CLUSTER)}": "{{pod}}"
            },
            "percentunit",
            width=6,
            about="RocksDB reserves all of it when a job starts.",
        ),
        Panel(
            "Network memory",
            {
                f"{of('flink_taskmanager_Status_Shuffle_Netty_UsedMemory', CLUSTER)}"
                f" / {of('flink_taskmanager_Status_Shuffle_Netty_TotalMemory', CLUSTER)}": "{{pod}}"
            },
            "percentunit",
            width=6,
        ),
        Panel(
            "Time in garbage collection",
            {
                f"{of(f'flink_{role}_Status_JVM_GarbageCollector_All_TimeMsPerSecond', CLUSTER)} / 1000": "{{pod}}"
                for role in ("taskmanager", "jobmanager")
            },
            "percentunit",
        ),
        Panel(
            "Cores used",
            {
                f"rate({of(f'flink_{role}_Status_JVM_CPU_Time', CLUSTER)}[$__rate_interval]) / 1e9": "{{pod}}"
                for role in ("taskmanager", "jobmanager")
            },
        ),
        Panel(
            "TaskManagers",
            {
                f"max({of('flink_jobmanager_numRegisteredTaskManagers', CLUSTER)})": "registered",
                f"max({of('flink_jobmanager_numPendingTaskManagers', CLUSTER)})": "asked for",
            },
            about="Native mode alone knows of those that it asked Kubernetes for.",
        ),
    ],
}

ALL = 'namespace=~"$namespace"'
EACH = f"namespace, {RELEASE}"
# The columns of the table.
COLUMNS = {
    "Jobs": by(EACH, of(f"{JOBS}runningState", ALL)),
    "TaskManagers": by(EACH, of("flink_jobmanager_numRegisteredTaskManagers", ALL), "max"),
    "Free slots": by(EACH, of("flink_jobmanager_taskSlotsAvailable", ALL), "max"),
    "Restarts": by(EACH, f"increase({of(f'{JOBS}numRestarts', ALL)}[$__range])"),
    "Last checkpoint": age(EACH, ALL),
    "Lag": by(EACH, of(f"{OPERATORS}pendingRecords", ALL)),
}
WHO = f"{{{{namespace}}}} {{{{{RELEASE}}}}}"
ALL_RELEASES: Mapping[str, Sequence[Panel]] = {
    "Over time": [
        Panel("Restarts in 5 minutes", {by(EACH, f"increase({of(f'{JOBS}numRestarts', ALL)}[5m])"): WHO}),
        Panel("Last checkpoint", {age(EACH, ALL): WHO}, "s"),
        Panel("Lag", {by(EACH, of(f"{OPERATORS}pendingRecords", ALL)): WHO}),
        Panel(
            "Records of sources, a second", {by(EACH, rate(f"{OPERATORS}numRecordsOut", f'{ALL},operator_name=~"Source.*"')): WHO}
        ),
        Panel("Busiest task", {by(EACH, f"{of(f'{TASKS}busyTimeMsPerSecond', ALL)} / 1000", "max"): WHO}, "percentunit"),
        Panel(
            "Fullest heap of a TaskManager",
            {
                by(
                    EACH,
                    f"{of('flink_taskmanager_Status_JVM_Memory_Heap_Used', ALL)}"
                    f" / {of('flink_taskmanager_Status_JVM_Memory_Heap_Max', ALL)}",
                    "max",
                ): WHO
            },
            "percentunit",
        ),
    ]
}


def _built(panel: Panel) -> stat.Panel | timeseries.Panel:
    built: stat.Panel | timeseries.Panel
    if panel.stat:
        built = stat.Panel().height(4)
    else:
        legend = (
            common.VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM).show_legend(True)
        )
        built = timeseries.Panel().height(7).legend(legend).tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
        built = built.fill_opacity(10).min(0)
    built = built.title(panel.title).unit(panel.unit).span(panel.width).datasource(SOURCE)
    if panel.about:
        built = built.description(panel.about)
    for letter, (expression, legend_format) in zip(ascii_uppercase, panel.queries.items(), strict=False):
        built = built.with_target(prometheus.Dataquery().expr(expression).legend_format(legend_format).ref_id(letter))
    return built


def _variable(name: str, label: str, query: str, **kinds: bool) -> dashboard.QueryVariable:
    variable = (
        dashboard.QueryVariable(name).label(label).query(query).datasource(SOURCE).refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    )
    if kinds.get("several"):
        variable = variable.multi(True).include_all(True).all_value(".*")
    return variable


def _new(title: str, uid: str) -> dashboard.Dashboard:
    board = dashboard.Dashboard(title).uid(uid).tags(["flink"]).time("now-1h", "now").refresh("30s").editable()
    board = board.tooltip(DashboardCursorSync.CROSSHAIR)
    return board.with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))


def _fill(board: dashboard.Dashboard, rows: Mapping[str, Sequence[Panel]]) -> None:
    for title, panels in rows.items():
        board.with_row(dashboard.Row(title))
        for panel in panels:
            board.with_panel(_built(panel))


def one_release() -> dashboard.Dashboard:
    board = _new("Flink: a release", "flink-release")
    leader = "flink_jobmanager_numRegisteredTaskManagers"
    board.with_variable(_variable("namespace", "Namespace", f"label_values({leader}, namespace)"))
    board.with_variable(_variable("release", "Release", f'label_values({leader}{{namespace="$namespace"}}, {RELEASE})'))
    board.with_variable(_variable("job", "Job", f"label_values({JOBS}numRestarts{{{CLUSTER}}}, job_name)", several=True))
    _fill(board, ONE_RELEASE)
    return board


def all_releases() -> dashboard.Dashboard:
    board = _new("Flink: all releases", "flink-releases")
    query = "label_values(flink_jobmanager_numRegisteredTaskManagers, namespace)"
    board.with_variable(_variable("namespace", "Namespace", query, several=True))
    panel = table.Panel().title("Releases").height(9).span(24).datasource(SOURCE)
    for name, expression in COLUMNS.items():
        target = prometheus.Dataquery().expr(expression).instant().format(PromQueryFormat.TABLE).ref_id(name)
        panel = panel.with_target(target)
    panel = panel.with_transformation(DataTransformerConfig(id_val="merge", options={}))
    names = {f"Value #{name}": name for name in COLUMNS} | {RELEASE: "Release", "namespace": "Namespace"}
    organized = {"excludeByName": {"Time": True}, "renameByName": names}
    panel = panel.with_transformation(DataTransformerConfig(id_val="organize", options=organized))
    there = "/d/flink-release?var-namespace=${__data.fields.Namespace}&var-release=${__data.fields.Release}"
    link = {"title": "Its dashboard", "url": there}
    panel = panel.override_by_name("Release", [DynamicConfigValue(id_val="links", value=[link])])
    panel = panel.override_by_name("Last checkpoint", [DynamicConfigValue(id_val="unit", value="s")])
    board.with_panel(panel)
    _fill(board, ALL_RELEASES)
    return board


def texts() -> dict[str, str]:
    """{name of the file: its text}. A line has to do: a release of Helm holds the charts' files twice over."""
    boards = {"flink-release.json": one_release(), "flink-releases.json": all_releases()}
    compact = (",", ":")
    return {name: json.dumps(board.build(), cls=JSONEncoder, separators=compact) + "\n" for name, board in boards.items()}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, text in texts().items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
