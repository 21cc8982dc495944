"""A catalog of Hive: the pods that compile SQL and programs know it, and what cannot work is refused."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from ci.core.paths import FLINK
from harness.helm import merged
from harness.manifests import Manifests, Object, containers, flink_config, pod_template, render
from tests.unit.charts.releases import refused

URI = "thrift://metastore:9083"
TLS = {"rest": {"enabled": True, "secretName": "mine"}}
OLD: dict[str, Any] = {"flink": {"version": "1.20.5"}, "sqlGateway": {"enabled": True}}


def rendered(hive: dict[str, Any], **values: Any) -> Manifests:
    return render(FLINK, merged(OLD, {"hive": hive, **values}), name="r")


def mounts(workload: Object, container: str) -> dict[str, tuple[Any, str]]:
    """{path: (volume, file in it)} of a container."""
    volumes = {volume["name"]: volume for volume in pod_template(workload)["spec"]["volumes"]}
    return {
        mount["mountPath"]: (volumes[mount["name"]].get("configMap", {}).get("name"), mount.get("subPath", ""))
        for mount in containers(workload)[container]["volumeMounts"]
    }


@pytest.mark.parametrize("role", ["jobmanager", "sql-gateway"])
def test_pods_that_compile_sql_have_the_catalog_and_a_place_for_others(role: str) -> None:
    manifests = rendered({"metastore": URI, "catalog": "lake"})
    there = mounts(manifests.one("Deployment", f"r-flink-{role}"), role)
    assert there["/opt/flink/catalogs"] == (None, "")
    assert there["/opt/flink/catalogs/lake.yaml"] == ("r-flink-hive", "catalog.yaml")
    assert there["/opt/flink/hive"] == ("r-flink-hive", "")
    files = manifests.one("ConfigMap", "r-flink-hive")["data"]
    assert yaml.safe_load(files["catalog.yaml"]) == {"type": "hive", "hive-conf-dir": "/opt/flink/hive"}
    assert f"<name>hive.metastore.uris</name><value>{URI}</value>" in files["hive-site.xml"]
    options = flink_config(manifests)
    assert options["table.catalog-store.kind"] == "file"
    assert options["table.catalog-store.file.path"] == "file:///opt/flink/catalogs"


def test_taskmanagers_need_nothing_of_it() -> None:
    workload = rendered({"metastore": URI}).one("Deployment", "r-flink-taskmanager")
    assert "hive" not in str(pod_template(workload)["spec"]["volumes"])


@pytest.mark.parametrize(
    ("s3", "there"),
    [
        ({}, {}),
        ({"region": "mars-1"}, {"endpoint.region": "mars-1"}),
        (
            {"endpoint": "http://store:9000", "pathStyle": True},
            {"endpoint": "http://store:9000", "path.style.access": "true", "endpoint.region": "us-east-1"},
        ),
        ({"endpoint": "http://store", "region": "mars-1"}, {"endpoint": "http://store", "endpoint.region": "mars-1"}),
        ({"endpoint": "s3.eu-west-1.amazonaws.com"}, {"endpoint": "s3.eu-west-1.amazonaws.com"}),
    ],
)
def test_tables_on_s3_are_reached_as_the_state_is(s3: dict[str, Any], there: dict[str, str]) -> None:
    files = rendered({"metastore": URI}, state={"s3": s3}).one("ConfigMap", "r-flink-hive")["data"]
    properties = {str(one.findtext("name")): str(one.findtext("value")) for one in ElementTree.fromstring(files["hive-site.xml"])}
    assert properties == {
        "hive.metastore.uris": URI,
        "fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        **{f"fs.s3a.{name}": value for name, value in there.items()},
    }


def test_a_hive_site_of_the_user_is_mounted_in_place_of_the_charts() -> None:
    manifests = rendered({"configMap": "{{ .Release.Name }}-site"})
    assert mounts(manifests.one("Deployment", "r-flink-jobmanager"), "jobmanager")["/opt/flink/hive"] == ("r-site", "")
    assert set(manifests.one("ConfigMap", "r-flink-hive")["data"]) == {"catalog.yaml"}


def test_the_pod_that_submits_files_of_sql_has_it() -> None:
    jobs = [{"name": "sales", "sql": {"file": "sales.sql"}}]
    manifests = rendered({"metastore": URI}, session={"jobs": jobs}, files={"sales.sql": "SELECT 1;\n"})
    submitters = [job for job in manifests.by("Job") if "submitter" in containers(job)]
    assert submitters
    for submitter in submitters:
        assert mounts(submitter, "submitter")["/opt/flink/hive"] == ("r-flink-hive", "")


def test_another_metastore_is_another_jobmanager() -> None:
    def template(uri: str) -> Any:
        return pod_template(rendered({"metastore": uri}).one("Deployment", "r-flink-jobmanager"))

    assert template(URI) == template(URI)
    assert template(URI) != template("thrift://other:9083")


def test_clients_of_hive_have_a_port_of_the_gateway() -> None:
    manifests = rendered({"metastore": URI, "catalog": "lake"}, sqlGateway={"hiveServer2": True})
    gateway = containers(manifests.one("Deployment", "r-flink-sql-gateway"))["sql-gateway"]
    assert "-Dsql-gateway.endpoint.type=rest;hiveserver2" in gateway["args"]
    assert "-Dsql-gateway.endpoint.hiveserver2.catalog.name=lake" in gateway["args"]
    assert {port["name"]: port["containerPort"] for port in gateway["ports"]} == {"http": 8083, "hiveserver2": 10000}
    service = manifests.one("Service", "r-flink-sql-gateway")["spec"]
    assert {port["port"]: port["targetPort"] for port in service["ports"]} == {8083: "http", 10000: "hiveserver2"}


def test_without_it_nothing_is_there() -> None:
    manifests = rendered({})
    assert not manifests.by("ConfigMap", "r-flink-hive")
    assert "catalog-store" not in str(manifests.one("ConfigMap", "r-flink-config"))


@pytest.mark.parametrize(
    ("hive", "values", "wrong", "remedy"),
    [
        ({"metastore": URI}, {"flink": {"version": "2.2.1"}}, "hive.metastore is set, but no connector for Hive", "1.20.5"),
        ({"configMap": "site"}, {"flink": {"version": "2.2.1"}}, "hive.configMap is set, but no connector", "or leave hive out"),
        ({"metastore": URI, "configMap": "site"}, {}, "are both set", "as hive.metastore.uris"),
        (
            {"metastore": URI},
            {"flink": {"config": {"table.catalog-store.kind": "generic_in_memory"}}},
            "table.catalog-store.kind",
            "leave it out",
        ),
        *(
            (hive, merged({"sqlGateway": {"hiveServer2": True}}, more), f"sqlGateway.hiveServer2 is true, but {wrong}", remedy)
            for hive, more, wrong, remedy in (
                (
                    {},
                    {"flink": {"type": "job"}, "sqlGateway": {"enabled": False}},
                    "flink.type is job",
                    "or leave hiveServer2 out",
                ),
                (
                    {"metastore": URI},
                    {"sqlGateway": {"enabled": False}},
                    "sqlGateway.enabled is false",
                    "set sqlGateway.enabled=true",
                ),
                ({}, {}, "no metastore is named", "set hive.metastore or hive.configMap"),
                ({"metastore": URI}, {"tls": TLS}, "tls.rest.enabled is true", "set tls.rest.enabled=false"),
            )
        ),
    ],
)
def test_what_cannot_work_is_refused(hive: dict[str, Any], values: dict[str, Any], wrong: str, remedy: str) -> None:
    message = refused(merged(OLD, {"hive": hive, **values}))
    assert wrong in message
    assert remedy in message


def test_an_address_is_one_of_thrift() -> None:
    assert "metastore" in refused(merged(OLD, {"hive": {"metastore": "metastore:9083"}}))
