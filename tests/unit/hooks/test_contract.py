"""Between the templates and the hooks: what is rendered is what they read, with no more rights than they use."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hooks import operations
from hooks.wanted import Wanted, parse

from ci.core.paths import FLINK
from harness.helm import merged
from harness.manifests import Manifests, Object, containers, pod_template, render
from tests.unit.scenarios import JOBS, SCENARIOS, Scenario

JOB = {"flink": {"type": "job"}}
HA = {"highAvailability": {"type": "kubernetes"}}


def hooks_maps(manifests: Manifests) -> list[Object]:
    """The ConfigMaps with the hooks' package."""
    return [obj for obj in manifests.by("ConfigMap") if "wanted.json" in obj["data"]]


def given(manifests: Manifests) -> dict[str, Any]:
    (hooks_map,) = [obj for obj in hooks_maps(manifests) if is_hook(obj)]
    data: dict[str, Any] = json.loads(hooks_map["data"]["wanted.json"])
    return data


def is_hook(obj: Object) -> bool:
    return "helm.sh/hook" in obj["metadata"].get("annotations", {})


def events(obj: Object) -> set[str]:
    return set(obj["metadata"].get("annotations", {}).get("helm.sh/hook", "").split(",")) - {""}


WITH_HOOKS = [scenario for scenario in SCENARIOS if hooks_maps(scenario.render())]
each_release = pytest.mark.parametrize("scenario", WITH_HOOKS, ids=str)


def test_there_are_releases_of_each_kind() -> None:
    jobs = {(wanted["type"], bool(wanted["taskmanager_deployment"])) for one in WITH_HOOKS if (wanted := given(one.render()))}
    assert jobs == {("job", True), ("job", False), ("session", True), ("session", False)}


@each_release
def test_what_is_rendered_is_what_the_hooks_read(scenario: Scenario) -> None:
    manifests = scenario.render()
    for obj in hooks_maps(manifests):
        wanted = parse(json.loads(obj["data"]["wanted.json"]))
        assert isinstance(wanted, Wanted)
        assert wanted.timeout_seconds > 0
        assert {"__init__.py", "__main__.py", "plan.py"} <= obj["data"].keys()
    wanted = parse(given(manifests))
    deployment = manifests.one("Deployment", wanted.jobmanager_deployment)
    annotations = deployment["metadata"]["annotations"]
    assert annotations["flink/specification"] == wanted.jobmanager_specification
    assert annotations["flink/template"] == wanted.jobmanager_template
    assert annotations["flink/type"] == wanted.type
    assert json.loads(annotations["flink/jobs-kept-in"]) == wanted.jobs_kept_in
    assert bool(wanted.jobs_kept_in) is wanted.jobs_survive_restart
    selected = dict(pair.split("=") for pair in wanted.jobmanager_selector.split(","))
    assert selected == deployment["spec"]["selector"]["matchLabels"]
    assert wanted.labels.items() <= deployment["metadata"]["labels"].items()
    if wanted.taskmanager_deployment:
        manifests.one("Deployment", wanted.taskmanager_deployment)
    host, port = wanted.rest.partition("://")[2].split(":")
    assert [entry["port"] for entry in manifests.one("Service", host)["spec"]["ports"]] == [int(port)]
    if wanted.type == "job":
        (job,) = wanted.jobs
        assert (job.name, job.specification, job.program) == ("", wanted.jobmanager_specification, None)


FETCHED = {**JOB, "job": {"jar": {"file": "https://example.com/a.jar", "sha256": "0" * 64}}}


@pytest.mark.parametrize("values", [JOB, JOBS, FETCHED, {**JOB, "highAvailability": {"type": "zookeeper"}}])
def test_a_field_that_is_missing_or_unknown_is_refused(values: dict[str, Any]) -> None:
    data = given(render(FLINK, values))
    parts = [("wanted.json", data)]
    parts += [(name, data[name]) for name in ("zookeeper", "download") if data[name]]
    parts += [(f"job {job['name']!r}", job) for job in data["jobs"]]
    parts += [(f"job {job['name']!r}", job["program"]) for job in data["jobs"] if job["program"]]
    for where, part in parts:
        for key in [key for key in part if key != "name"]:
            value = part.pop(key)
            with pytest.raises(ValueError, match=f"{key} is missing") as caught:
                parse(copy.deepcopy(data))
            assert str(caught.value).startswith(where)
            part[key] = value
        part["surprise"] = 1
        with pytest.raises(ValueError, match="surprise is unknown"):
            parse(copy.deepcopy(data))
        del part["surprise"]
    parse(data)


@each_release
def test_the_objects_are_all_of_the_release_but_hooks(scenario: Scenario) -> None:
    manifests = scenario.render()
    carried = [(obj["kind"], obj["metadata"]["name"]) for obj in given(manifests)["objects"]]
    assert len(carried) == len(set(carried))
    rendered = {(obj["kind"], obj["metadata"]["name"]): obj for obj in manifests if not is_hook(obj)}
    if scenario.chart == FLINK:
        assert set(carried) == set(rendered)
    else:  # its own objects are none of the chart's
        assert set(carried) <= set(rendered)
        assert ("Deployment", "release-name-flink-taskmanager") in carried


@each_release
def test_the_objects_are_carried_whole(scenario: Scenario) -> None:
    """The API server is asked about what will be applied, save for the data of large ConfigMaps."""
    manifests = scenario.render()
    for obj in given(manifests)["objects"]:
        rendered = manifests.one(obj["kind"], obj["metadata"]["name"])
        if "data" not in obj:
            rendered.pop("data", None)
        assert obj == rendered


def test_a_file_of_a_megabyte_does_not_fill_the_hooks_own_config_map() -> None:
    values = {**JOB, "files": {"a.txt": "x" * 900_000, "job.py": "pass"}}
    for obj in hooks_maps(render(FLINK, values)):
        assert sum(len(text) for text in obj["data"].values()) < 1_000_000


@each_release
def test_records_are_in_no_manifest(scenario: Scenario) -> None:
    """`helm upgrade --force` and Argo CD's Replace=true would overwrite what the hooks wrote there."""
    manifests = scenario.render()
    names = {obj["metadata"]["name"] for obj in manifests.by("ConfigMap")}
    wanted = given(manifests)
    assert wanted["record"] == f"{wanted['name']}-record"
    assert not names & {wanted["record"], f"{wanted['name']}-jobs"}
    assert not {("ConfigMap", wanted["record"])} & {(obj["kind"], obj["metadata"]["name"]) for obj in wanted["objects"]}


# Helm's events, by that of the hooks.
ORDER = {
    "before": {"pre-install", "pre-upgrade"},
    "after": {"post-install", "post-upgrade"},
    "before-rollback": {"pre-rollback"},
    "after-rollback": {"post-rollback"},
    "before-uninstall": {"pre-delete"},
    "after-uninstall": {"post-delete"},
}


def command(job: Object) -> list[str]:
    """The command that runs the hooks in a Job."""
    (argv,) = [one["command"] for one in containers(job).values() if "hooks" in (one.get("command") or [])]
    return list(argv)


def jobs_of_hooks(manifests: Manifests) -> dict[str, Object]:
    hooks = [job for job in manifests.by("Job") if is_hook(job)]
    return {command(job)[-1]: job for job in hooks}


@each_release
def test_there_is_one_job_for_each_event(scenario: Scenario) -> None:
    """An install and an upgrade run the same: Argo CD cannot tell them apart."""
    manifests = scenario.render()
    jobs = jobs_of_hooks(manifests)
    assert {"before", "before-rollback", "after-uninstall"} <= jobs.keys() <= ORDER.keys() <= operations.EVENTS.keys()
    for event, job in jobs.items():
        assert events(job) == ORDER[event]
        assert command(job)[-3:] == ["-m", "hooks", event]


@pytest.mark.parametrize(
    ("event", "code", "message"),
    [
        ("before", 1, "name an image that holds Flink, Python and the job."),
        ("before-uninstall", 1, "To uninstall without a savepoint: helm uninstall --no-hooks."),
        ("after-uninstall", 0, "ConfigMap r-flink-record and what high availability stores, is not deleted."),
    ],
)
def test_an_image_without_python_is_named(tmp_path: Path, event: str, code: int, message: str) -> None:
    """The hooks of a Python job run in its image, and come first; what could never run can be uninstalled."""
    values = {**JOB, "job": {"savepointOnUninstall": True}, "storage": {"keep": True}}
    given = command(jobs_of_hooks(render(FLINK, {**values, "hooks": {"image": "py:3"}}, name="r"))[event])
    assert given[0] == "python3"
    argv = command(jobs_of_hooks(render(FLINK, values, name="r"))[event])
    without = subprocess.run(["/bin/sh", *argv[1:]], env={"PATH": str(tmp_path)}, capture_output=True, text=True)
    assert without.returncode == code
    assert "flink:2.2.1-java17, which holds no Python, and job.python.file needs it" in without.stdout
    assert message in without.stdout
    program = tmp_path / "python3"
    program.write_text('#!/bin/sh\necho "$@"\n')
    program.chmod(0o755)
    output = subprocess.run(["/bin/sh", *argv[1:]], env={"PATH": str(tmp_path)}, capture_output=True, text=True)
    assert output.stdout == f"-B -m hooks {event}\n"


@each_release
def test_what_a_hook_needs_is_there_before_it_and_for_each_of_its_events(scenario: Scenario) -> None:
    manifests = scenario.render()
    hooks = [obj for obj in manifests if is_hook(obj)]
    for job in jobs_of_hooks(manifests).values():
        pod = pod_template(job)["spec"]
        mounted = {volume.get("configMap", {}).get("name", "") for volume in pod["volumes"]}
        maps = {name for name in mounted if name.endswith("-hooks")}
        needed = [("ServiceAccount", pod["serviceAccountName"]), *(("ConfigMap", name) for name in maps)]
        needed += [(kind, pod["serviceAccountName"]) for kind in ("Role", "RoleBinding")]
        for kind, name in needed:
            (obj,) = [obj for obj in hooks if (obj["kind"], obj["metadata"]["name"]) == (kind, name)]
            assert events(job) <= events(obj), (kind, name)
            weight = obj["metadata"]["annotations"]["helm.sh/hook-weight"]
            assert int(weight) < int(job["metadata"]["annotations"].get("helm.sh/hook-weight", "0"))


@each_release
def test_hooks_leave_no_rights_behind(scenario: Scenario) -> None:
    for obj in scenario.render():
        if is_hook(obj) and obj["kind"] != "Job" and "hooks" in obj["metadata"]["name"]:
            policy = obj["metadata"]["annotations"]["helm.sh/hook-delete-policy"].split(",")
            assert set(policy) == {"before-hook-creation", "hook-succeeded", "hook-failed"}


def roles(manifests: Manifests) -> Iterator[tuple[str, dict[str, Any]]]:
    """(name of the Role, a rule of it) of what the hooks and the savepoints may."""
    for role in manifests.by("Role"):
        name = role["metadata"]["name"]
        if name.endswith(("-hooks", "-hooks-uninstall", "-savepoint")):
            yield from ((name, rule) for rule in role["rules"])


@each_release
def test_hooks_have_no_more_rights_than_they_use(scenario: Scenario) -> None:
    manifests = scenario.render()
    kubernetes = given(manifests)["high_availability"] == "kubernetes"
    for name, rule in roles(manifests):
        what, named = set(rule["resources"]), rule.get("resourceNames")
        assert "*" not in [*rule["verbs"], *what, *rule["apiGroups"]]
        assert not what & {"secrets", "pods/log", "pods/exec"}, name
        assert not what & {"roles", "rolebindings", "clusterroles", "clusterrolebindings"}, name
        if "configmaps" in what and not named:
            listing = {"list", "delete"} if name.endswith("-uninstall") and kubernetes else {"create"}
            assert set(rule["verbs"]) == listing, name
        if not named:
            allowed = {"create", "list"} | ({"deletecollection"} if what == {"pods"} else set())
            allowed |= {"get"} if what == {"persistentvolumeclaims"} else set()
            allowed |= {"delete"} if what == {"pods"} and name.endswith("-hooks") else set()
            allowed |= {"delete"} if what == {"configmaps"} and name.endswith("-uninstall") and kubernetes else set()
            assert set(rule["verbs"]) <= allowed, (name, rule)
        if "delete" in rule["verbs"] and what != {"pods"}:
            assert name.endswith("-uninstall")
            assert what == {"configmaps"}


@pytest.mark.parametrize(("values", "deletes"), [(JOB, True), ({}, False)], ids=str)
def test_pods_are_deleted_one_by_one_where_a_job_is_restarted(values: dict[str, Any], deletes: bool) -> None:
    verbs = {verb for name, rule in roles(render(FLINK, values)) for verb in rule["verbs"] if rule["resources"] == ["pods"]}
    assert ("delete" in verbs) == deletes


def test_taskmanagers_are_deleted_only_where_flink_makes_them() -> None:
    def deletes(values: dict[str, Any]) -> bool:
        return any("deletecollection" in rule["verbs"] for _, rule in roles(render(FLINK, values)))

    assert not deletes(JOB)
    assert deletes({"flink": {"type": "job", "mode": "native"}})


@pytest.mark.parametrize(("values", "lists"), [(JOB, False), ({**JOB, **HA}, True), (HA, True), ({}, False)], ids=str)
def test_config_maps_are_listed_after_an_uninstall_alone(values: dict[str, Any], lists: bool) -> None:
    jobs = {
        name
        for name, rule in roles(render(FLINK, values, name="r"))
        if "list" in rule["verbs"] and "configmaps" in rule["resources"]
    }
    assert jobs == ({"r-flink-hooks-uninstall"} if lists else set())


@each_release
def test_the_dry_run_may_ask_for_each_object(scenario: Scenario) -> None:
    manifests = scenario.render()
    wanted = given(manifests)
    allowed: dict[tuple[str, str], set[str]] = {}
    created = set()
    for name, rule in roles(manifests):
        if name.endswith("-hooks"):
            for group in rule["apiGroups"]:
                for kind in rule["resources"]:
                    allowed.setdefault((group, kind), set()).update(rule.get("resourceNames", []))
                    created |= {(group, kind)} if "create" in rule["verbs"] else set()
    plurals = {"Ingress": "ingresses", "NetworkPolicy": "networkpolicies"}
    for obj in wanted["objects"]:
        if obj["kind"] in ("Role", "RoleBinding"):
            continue
        group = obj["apiVersion"].partition("/")[0] if "/" in obj["apiVersion"] else ""
        key = (group, plurals.get(obj["kind"], f"{obj['kind'].lower()}s"))
        assert obj["metadata"]["name"] in allowed[key]
        assert key in created
    assert wanted["record"] in allowed[("", "configmaps")]
    assert ("", "pods") in created


def test_the_roles_name_the_jobmanager_of_either_mode() -> None:
    """One follows the other in an upgrade."""
    for mode in ("standalone", "native"):
        manifests = render(FLINK, {"flink": {"type": "job", "mode": mode}}, name="r")
        for role in ("r-flink-hooks", "r-flink-hooks-uninstall"):
            rules = [rule for name, rule in roles(manifests) if name == role and rule["resources"] == ["deployments"]]
            named = {name for rule in rules for name in rule.get("resourceNames", [])}
            assert {"r-flink", "r-flink-jobmanager"} <= named


class TestFields:
    """What the values say, as the hooks read it."""

    def wanted(self, values: dict[str, Any]) -> Wanted:
        return parse(given(render(FLINK, values, name="r", namespace="streams")))

    @pytest.mark.parametrize(
        ("values", "backend", "savepoint_format"),
        [
            ({}, "hashmap", "CANONICAL"),
            ({"state": {"backend": "forst"}}, "forst", "NATIVE"),
            ({"savepoints": {"format": "native"}}, "hashmap", "NATIVE"),
            ({"state": {"backend": "forst"}, "savepoints": {"format": "native"}}, "forst", "NATIVE"),
        ],
    )
    def test_the_format_of_savepoints(self, values: dict[str, Any], backend: str, savepoint_format: str) -> None:
        wanted = self.wanted({**JOB, **values})
        assert (wanted.state_backend, wanted.savepoint_format) == (backend, savepoint_format)

    @pytest.mark.parametrize(
        ("values", "mode"),
        [
            ({}, ""),
            ({"storage": {"enabled": False}}, ""),
            ({"job": {"upgradeMode": "last-state"}}, "last-state"),
        ],
    )
    def test_the_mode(self, values: dict[str, Any], mode: str) -> None:
        assert self.wanted({**JOB, **values}).jobs[0].upgrade_mode == mode

    def test_zookeeper(self) -> None:
        none = self.wanted({**JOB, **HA})
        assert (none.zookeeper, none.high_availability, none.jobs_survive_restart) == (None, "kubernetes", True)
        bundled = self.wanted({**JOB, "highAvailability": {"type": "zookeeper"}}).zookeeper
        assert bundled
        assert (bundled.path, bundled.bundled) == ("/flink/streams/r-flink", True)
        assert (none.jobs_kept_in["type"], self.wanted(JOB).jobs_kept_in) == ("kubernetes", {})
        own = {"type": "zookeeper", "zookeeper": {"quorum": "zk:2181", "root": "/mine"}}
        shared = self.wanted({**JOB, "highAvailability": own}).zookeeper
        assert shared
        assert (shared.path, shared.quorum, shared.bundled, shared.secret) == ("/mine/r-flink", "zk:2181", False, "")

    @pytest.mark.parametrize(
        ("values", "parallelism"),
        [
            ({}, 4),
            ({"job": {"parallelism": 1}}, 0),
            ({"job": {"parallelism": None}, "flink": {"config": {"parallelism.default": 3}}}, 3),
            ({"flink": {"config": {"jobmanager.scheduler": "default"}}, "taskmanager": {"replicas": 2}}, 0),
            ({"flink": {"config": {"scheduler-mode": "reactive"}}}, 0),
            ({"flink": {"mode": "native"}, "native": {"maxTaskManagers": 1}}, 2),
        ],
        ids=str,
    )
    def test_the_parallelism_that_is_changed_while_a_job_runs(self, values: dict[str, Any], parallelism: int) -> None:
        base = {"flink": {"type": "job", "config": {"jobmanager.scheduler": "adaptive"}}, "job": {"parallelism": 4}}
        manifests = render(FLINK, merged(base, values), name="r", namespace="streams")
        assert parse(given(manifests)).jobs[0].parallelism == parallelism
        annotations = manifests.one(
            "Deployment", values.get("flink", {}).get("mode") == "native" and "r-flink" or "r-flink-jobmanager"
        )
        assert annotations["metadata"]["annotations"].get("flink/parallelism", "0") == str(parallelism)

    def test_and_that_of_the_jobs_of_a_session(self) -> None:
        def parsed_job(parallelism: int | None, scheduler: str = "adaptive") -> Any:
            options = {"jobmanager.scheduler": scheduler, "parallelism.default": 2}
            job = {"name": "a", "jar": {"file": "/a.jar"}, **({"parallelism": parallelism} if parallelism else {})}
            return self.wanted({"flink": {"config": options}, "session": {"jobs": [job]}, "taskmanager": {"replicas": 4}}).jobs[0]

        assert [parsed_job(one).parallelism for one in (None, 1, 3)] == [2, 0, 3]
        assert parsed_job(3).program.options["parallelism.default"] == "3"
        assert parsed_job(None).specification == parsed_job(3).specification == parsed_job(4).specification
        assert parsed_job(1).specification != parsed_job(3).specification
        assert parsed_job(3, "default").specification != parsed_job(4, "default").specification

    def test_stores(self) -> None:
        assert "s3" not in self.wanted(JOB).stores
        assert (
            self.wanted({**JOB, "state": {"root": "s3://b", "s3": {"endpoint": "http://minio:9000"}}}).stores["s3"]
            == "http://minio:9000"
        )
        by_option = {"flink": {"type": "job", "config": {"s3.endpoint": "http://minio:9000"}}, "state": {"root": "s3://b"}}
        assert self.wanted(by_option).stores["s3"] == "http://minio:9000"
        assert "s3" in self.wanted({**JOB, "job": {"fromSavepoint": "s3://b/s"}}).stores
        azure = self.wanted({**JOB, "state": {"root": "wasbs://c@a.blob.core.windows.net/p"}}).stores
        assert {"abfs", "abfss", "wasb", "wasbs"} <= azure.keys()
        named = self.wanted({**JOB, "flink": {"type": "job", "plugins": ["flink-oss-fs-hadoop"]}}).stores
        assert "oss" in named

    def test_the_claim_counts_where_both_directories_are_on_it(self) -> None:
        assert self.wanted(JOB).claim_directory == "/flink-data/r-flink"
        assert self.wanted({**JOB, "state": {"root": "s3://b"}}).claim_directory == ""
        assert self.wanted(JOBS).claim_directory == "/flink-data/r-flink"

    def test_numbers(self) -> None:
        wanted = self.wanted({**JOB, "savepoints": {"keep": 7, "keepOfUpgrades": 8}, "hooks": {"timeoutSeconds": 99}})
        assert (wanted.keep_savepoints, wanted.keep_stop_savepoints, wanted.timeout_seconds) == (7, 8, 99)

    def test_the_list_of_a_session(self) -> None:
        speeds, words, rows = [job.program for job in self.wanted(JOBS).jobs]
        assert speeds
        assert words
        assert rows
        assert speeds.argv == ["--class", "a.B", "/a.jar", "--who=r", "7"]
        assert words.argv == ["--python", "/opt/flink/files/words.py", "--"]
        assert words.options == {"pipeline.name": "words", "parallelism.default": "2", "high-availability.type": "NONE"}
        assert (rows.sql, rows.file, rows.allow_non_restored_state) == (True, "/opt/flink/files/rows.sql", True)

    def test_a_url_is_fetched_into_the_folder_that_the_hook_and_the_client_share(self) -> None:
        job = {"name": "a", "python": {"file": "https://example.com/b/c.py?v=1", "sha256": "0" * 64}}
        (program,) = [job.program for job in self.wanted({"session": {"jobs": [job]}}).jobs]
        assert program
        assert (program.url, program.sha256) == ("https://example.com/b/c.py?v=1", "0" * 64)
        assert program.file == "/exchange/files/a/c.py"
        assert program.argv == ["--python", "/exchange/files/a/c.py", "--"]

    def test_a_job_is_another_one_when_its_own_file_changes(self) -> None:
        before = self.wanted(JOBS).jobs
        after = self.wanted({**JOBS, "files": {**JOBS["files"], "words.py": "1\n"}}).jobs
        assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True]


@pytest.mark.parametrize("name", ["r", "r" * 40])
def test_the_pod_that_submits_is_tried_before_jobs_are_stopped_for_it(name: str) -> None:
    manifests = render(FLINK, JOBS, name=name)
    (pod,) = given(manifests)["pods"]
    (after,) = [job for event, job in jobs_of_hooks(manifests).items() if event == "after"]
    template = pod_template(after)
    assert (pod["kind"], pod["spec"], pod["metadata"]["labels"]) == ("Pod", template["spec"], template["metadata"]["labels"])
    assert len(pod["metadata"]["name"]) <= 63
    assert given(render(FLINK, JOB))["pods"] == []


def test_what_hooks_make_has_the_labels_of_the_values() -> None:
    assert given(render(FLINK, {**JOB, "commonLabels": {"team": "a"}}))["common_labels"] == {"team": "a"}


def test_programs_of_users_do_not_see_the_token() -> None:
    submitter = render(FLINK, JOBS, name="r").one("Job", "r-flink-after")
    mounted = {name: {m["name"] for m in jobs["volumeMounts"]} for name, jobs in containers(submitter).items()}
    (hook,) = [name for name, jobs in containers(submitter).items() if "hooks" in (jobs.get("command") or [])]
    assert "token" in mounted[hook]
    assert "token" not in mounted["submitter"]
    assert pod_template(submitter)["spec"]["automountServiceAccountToken"] is False
