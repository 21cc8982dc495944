"""Every refusal: values that cannot work are refused at once, by a sentence that says what to write instead."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ci.core.paths import CHARTS, DEMO, FLINK
from harness.helm import Helm, HelmError, merged
from harness.manifests import render
from tests.unit.charts.releases import refused

JOB = {"type": "job"}
ENV_OF_JOBS = (
    "JOB_SPECIFICATION",
    "POD_UID",
    "HIGH_AVAILABILITY",
    "CLAIM_DIRECTORY",
    "RETAINED_CHECKPOINTS",
    "CLAIM_OWN_CHECKPOINTS",
)
RETENTION = "execution.checkpointing.externalized-checkpoint-retention"


def config(**options: Any) -> dict[str, Any]:
    """flink.config with one option; "__" stands for a dot and "_" for a hyphen."""
    flat = {key.replace("__", ".").replace("_", "-"): value for key, value in options.items()}
    return {"flink": {"config": flat}}


def native(**values: Any) -> dict[str, Any]:
    return {"flink": {"mode": "native"}, **values}


def memory(quantity: str) -> dict[str, Any]:
    return {"requests": {"memory": quantity}, "limits": {"memory": quantity}}


def mounted(role: str, path: str) -> dict[str, Any]:
    volume = {"name": "mine", "emptyDir": {}}
    own = {"extraVolumes": [volume], "extraVolumeMounts": [{"name": "mine", "mountPath": path}]}
    return {role: {"enabled": True, **own} if role == "sqlGateway" else own}


SPEEDS = {"name": "speeds", "jar": {"file": "/a.jar"}}
URL = "https://example.com/a.py"


MEMORY = [{"type": "Resource", "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 70}}}]


def autoscaled(more: dict[str, Any] | None = None, **values: Any) -> dict[str, Any]:
    return merged({"taskmanager": {"autoscaling": {"enabled": True, **(more or {})}}}, values)


def jobs(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"session": {"jobs": list(entries)}}


def login(**changed: Any) -> dict[str, Any]:
    """A login by a provider that is taken, but for what is changed."""
    oidc = {"publicUrl": "https://a.example", "issuer": "https://b.example", "clientId": "flink", "secret": "login"}
    return {"auth": {"type": "oidc", "oidc": {**oidc, "allowedGroups": ["streams"], **changed}}}


WALLS: dict[str, Any] = {"enabled": True}
BY_URL = {"file": "https://a.example/a.py", "sha256": "0" * 64}

REFUSALS = [
    ({"flink": {"version": "1.19.3"}}, 'flink.version is "1.19.3"', "for example 2.2.1"),
    ({"flink": {"version": "3.0.0"}}, 'flink.version is "3.0.0"', "1.20 and 2.x"),
    (
        {"flink": JOB, "job": {"python": {"file": ""}}},
        "no job is named",
        "set job.python.file to a Python file in the image, job.jar.file",
    ),
    ({"flink": JOB, "job": {"python": {"file": "kdv.py"}}}, 'job.python.file is "kdv.py"', "/opt/flink/usrlib/kdv.py"),
    ({"flink": JOB, "job": {"sql": {"file": "a.sql"}}}, 'job.sql.file is "a.sql"', "add it to files"),
    (
        {"flink": JOB, "job": {"sql": {"file": "/a.sql"}, "args": ["b"]}},
        "job.sql.file is set beside job.jar or job.args",
        "leave the others out",
    ),
    (
        {"flink": {**JOB, "version": "1.20.5"}, "job": {"sql": {"file": "/a.sql"}}},
        "Flink 1.20.5 has no driver for it",
        "session.jobs with sql.file",
    ),
    ({"flink": JOB, "sqlGateway": {"enabled": True}}, "takes no other jobs", "set flink.type=session"),
    (
        {"historyServer": {"enabled": True}, "storage": {"enabled": False}},
        "no directory for the ended jobs",
        "set storage.enabled=true, or state.root",
    ),
    (native(taskmanager={"replicas": 2}), "taskmanager.replicas is 2, but flink.mode is native", "native.maxTaskManagers"),
    (autoscaled(flink={"mode": "native"}), "autoscaling.enabled is true, but flink.mode is native", "change job.parallelism"),
    (autoscaled(flink=JOB, job={"bounded": True}), "autoscaling.enabled is true, but job.bounded is true", "leave one of them"),
    (autoscaled(**config(**{"jobmanager.scheduler": "Default"})), "sets jobmanager.scheduler to Default", "leave the option out"),
    (autoscaled({"minReplicas": 5}), "minReplicas is 5, more than maxReplicas (4)", "raise that, or lower this"),
    (
        autoscaled({"metrics": MEMORY, "keda": {"triggers": [{"type": "kafka"}]}}),
        "taskmanager.autoscaling.metrics is set beside keda.triggers",
        "leave one of them out",
    ),
    (
        autoscaled(taskmanager={"resources": {"requests": {"cpu": None}}}),
        "taskmanager.resources names no requests.cpu",
        "set taskmanager.autoscaling.metrics",
    ),
    (
        native(taskmanager={"podDisruptionBudget": {"enabled": True}}),
        "taskmanager.podDisruptionBudget.enabled is true, but flink.mode is native",
        "set flink.mode=standalone",
    ),
    (
        native(taskmanager={"resources": {"requests": {"cpu": None}}}),
        "taskmanager.resources names no CPU",
        "set taskmanager.resources.requests.cpu",
    ),
    (
        native(taskmanager={"resources": {"requests": {"cpu": "1k"}}}),
        'taskmanager.resources.requests.cpu is "1k"',
        "for example 500m",
    ),
    (
        native(taskmanager={"resources": {"requests": {"memory": "1Gi"}}}),
        "taskmanager.resources.requests.memory is 1Gi",
        "write that in both",
    ),
    (
        {"flink": {**JOB, "mode": "native"}, "job": {"jar": {"entryClass": "a.B"}}},
        "job.jar.entryClass is a.B without job.jar.file",
        "set job.jar.file as well",
    ),
    (
        {"flink": {**JOB, "mode": "native"}, "job": {"parallelism": 5}, "native": {"maxTaskManagers": 2}},
        "native.maxTaskManagers (2) times taskmanager.slots (2) gives 4",
        "raise one of these",
    ),
    (config(resourcemanager__taskmanager_timeout="1 s"), "resourcemanager.taskmanager-timeout", "set native.idleTimeout"),
    (config(slotmanager__number_of_slots__max=2), "slotmanager.number-of-slots.max", "set native.maxTaskManagers"),
    (
        config(kubernetes__pod_template_file__taskmanager="/t"),
        "kubernetes.pod-template-file.taskmanager",
        "from the values in taskmanager",
    ),
    (config(kubernetes__taskmanager__cpu__amount=2), "kubernetes.taskmanager.cpu.amount", "resources.requests.cpu"),
    (config(kubernetes__taskmanager__cpu__limit_factor=2), "kubernetes.taskmanager.cpu.limit-factor", "resources.limits.cpu"),
    ({"files": {"a/b.py": ""}}, 'files has "a/b.py"', "for example job.py"),
    ({"flink": JOB, **jobs(SPEEDS)}, "session.jobs is set, but flink.type is job", "set flink.type=session"),
    ({"hooks": {"enabled": False}, **jobs(SPEEDS)}, "nobody would submit them", "set hooks.enabled=true"),
    (jobs({**SPEEDS, "name": "Speeds"}), 'a job with the name "Speeds"', "for example word-count"),
    (jobs({"jar": {"file": "/a.jar"}}), 'a job with the name ""', "for example word-count"),
    (jobs(SPEEDS, SPEEDS), "the name speeds twice", "give one of them another"),
    (jobs({**SPEEDS, "sql": {"file": "/a.sql"}}), "speeds has to be one of three", "jar.file, python.file or sql.file"),
    (jobs({"name": "speeds", "jar": {"entryClass": "a.B"}}), "speeds has to be one of three", "leave the others out"),
    (jobs({"name": "a", "python": {"file": "a.py"}}), 'python of a is "a.py"', "add it to files"),
    (jobs({"name": "a", "sql": {"file": "/a.sql"}, "args": ["b"]}), "a has args", "leave them out"),
    (jobs({"name": "a", "python": {"file": URL}}), "a is fetched from a URL", "python.sha256"),
    (jobs({"name": "a", "python": {"file": URL, "sha256": "ABC"}}), "a is fetched from a URL", "64 hexadecimal digits"),
    (jobs({"name": "a", "python": {"file": "s3://a/b.py", "sha256": "0" * 64}}), 'URL "s3://a/b.py"', "one of http or https"),
    (jobs({"name": "a", "jar": {"file": "/a.jar", "sha256": "0" * 64}}), "a has a sha256", "leave it out"),
    (jobs({**SPEEDS, "parallelism": 3}), "speeds has a parallelism of 3", "raise one of these, or lower it"),
    (
        {"flink": JOB, "files": {"a.py": ""}, "jobmanager": {"extraVolumes": [{"name": "files", "emptyDir": {}}]}},
        "jobmanager.extraVolumes has files",
        "another name",
    ),
    *(
        ({"storage": {"mountPath": path}}, f"storage.mountPath is {path}, which would hide", "write a directory of its own")
        for path in ("/hooks", "/exchange", "/exchange/data", "/var/run/secrets")
    ),
    ({"storage": {"mountPath": "/opt/flink/files"}}, "storage.mountPath is /opt/flink/files", "/flink-data"),
    ({"flink": JOB, "job": {"jar": {"file": "a.jar"}}}, 'job.jar.file is "a.jar"', "/opt/flink/usrlib/a.jar"),
    ({"job": {"bounded": True}}, "job.bounded is true, but flink.type is session", "set flink.type=job"),
    ({"flink": JOB, "job": {"bounded": True, "upgradeMode": "savepoint"}}, "job.upgradeMode is set", "leave one of them out"),
    ({"flink": JOB, "job": {"bounded": True, "state": "suspended"}}, "job.state is set", "leave one of them out"),
    ({"flink": JOB, "job": {"bounded": True, "savepointOnUninstall": True}}, "job.savepointOnUninstall", "leave one of them out"),
    (
        {"flink": JOB, "job": {"bounded": True}, "savepoints": {"schedule": "0 3 * * *"}},
        "savepoints.schedule is set, but job.bounded",
        "leave one of them out",
    ),
    (
        {"flink": JOB, "job": {"bounded": True}, "highAvailability": {"type": "kubernetes"}},
        "High availability is on, but job.bounded is true",
        "Set highAvailability.type=none",
    ),
    (
        {"flink": {**JOB, "config": {"execution.shutdown-on-application-finish": False}}, "job": {"bounded": True}},
        "flink.config sets execution.shutdown-on-application-finish",
        "set job.bounded=false",
    ),
    (
        {"flink": {**JOB, "config": {"taskmanager.registration.timeout": "5 min"}}, "job": {"bounded": True}},
        "flink.config sets taskmanager.registration.timeout",
        "set job.bounded=false",
    ),
    (
        {"flink": {**JOB, "config": {"parallelism.default": 1}}, "job": {"parallelism": 2}},
        "job.parallelism is 2 and flink.config sets parallelism.default to 1",
        "keep one",
    ),
    ({"flink": JOB, "job": {"parallelism": 3}}, "needs as many slots", "raise one of these"),
    ({"flink": {**JOB, "config": {"parallelism.default": 3}}}, "parallelism of 3", "lower job.parallelism"),
    ({"flink": JOB, "taskmanager": {"replicas": 0}}, "taskmanager.replicas (0)", "raise one of these"),
    ({"job": {"fromSavepoint": "s3://b/s"}}, "flink.type is session", "set flink.type=job"),
    ({"jobmanager": {"replicas": 2}}, "jobmanager.replicas is 2", "set highAvailability.type=kubernetes"),
    ({"rest": {"service": {"nodePort": 30081}}}, "rest.service.type is ClusterIP", "set rest.service.type=NodePort"),
    ({"rest": {"port": 6123}}, "rest.port is 6123", "for example 8081"),
    ({"ingress": {"enabled": True, "path": "flink"}}, 'ingress.path is "flink"', "for example /flink"),
    *(
        ({"tls": values}, wrong, remedy)
        for values, wrong, remedy in (
            ({"rest": {"enabled": True}}, "tls.rest.enabled is true, but nothing says where", "set tls.rest.secretName"),
            (
                {"internal": {"enabled": True}},
                "tls.internal.enabled is true, but nothing says where",
                "set tls.internal.secretName",
            ),
            (
                {"certManager": {"issuerRef": {"name": "i"}}, "selfSigned": {"enabled": True}},
                "tls.selfSigned.enabled is true beside tls.certManager.issuerRef",
                "leave one of them out",
            ),
            ({"rest": {"clientCertificates": True}}, "plain HTTP knows no certificates", "set tls.rest.enabled=true"),
            ({"certManager": {"issuerRef": {"kind": "Issuer"}}}, "tls/certManager/issuerRef", "name"),
            *(
                (
                    {"rest": {"enabled": True, "secretName": "s", "hosts": [host]}},
                    f"tls.rest.hosts has {json.dumps(host)}",
                    "flink.example.com",
                )
                for host in ("a.example\nbasicConstraints=CA:TRUE", "a,DNS:evil.example", "https://a.example", "a b", "10.0.0.1")
            ),
        )
    ),
    *(
        (
            {"tls": {part: {"enabled": True, "secretName": "s"}}, "flink": {"config": {f"security.ssl.{option}": "/a"}}},
            f"tls.{part}.enabled is true, but flink.config sets security.ssl.{option}",
            "leave it out",
        )
        for part, option in (
            ("rest", "rest.keystore"),
            ("rest", "truststore"),
            ("internal", "internal.truststore-type"),
            ("internal", "internal.enabled"),
        )
    ),
    (
        {"highAvailability": {"zookeeper": {"tls": {"secretName": "s"}}}},
        "highAvailability.zookeeper.tls.secretName is set, but highAvailability.type is none",
        "set highAvailability.type=zookeeper",
    ),
    (
        {"highAvailability": {"type": "zookeeper", "zookeeper": {"tls": {"secretName": "s"}}}},
        "highAvailability.zookeeper.quorum is empty, and the chart's own server speaks no TLS",
        "name servers that do",
    ),
    *(
        (
            {"highAvailability": {"type": "zookeeper"}, "flink": {"config": {key: value}}},
            f"flink.config sets {key}, which {what}, and the hooks read there without TLS and login",
            "set highAvailability.zookeeper.tls.secretName",
        )
        for key, value, what in (
            ("high-availability.zookeeper.client.acl", "creator", "hides what Flink stores in ZooKeeper from others"),
            ("env.java.opts.all", "-Da=b -Dzookeeper.client.secure=true", "has Flink speak TLS with ZooKeeper"),
        )
    ),
    ({"ingress": {"enabled": True, "tlsSecretName": "t"}}, "ingress.tlsSecretName is set", "set ingress.host"),
    (login(secret=""), "auth.type is oidc, but auth.oidc.secret is empty", "write it"),
    (login(allowedGroups=[]), "neither auth.oidc.allowedGroups nor auth.oidc.allowedEmails names anybody", 'allowedEmails=["*"]'),
    *(
        (login(args=[f"{arg}=redis://u:p@a.example"]), f"auth.oidc.args has {arg},", "put it into the Secret")
        for arg in ("--client-secret", "--redis-password", "--jwt-key", "--signature-key", "--redis-connection-url")
    ),
    *(
        ({"auth": {"oidc": {key: value}}}, f"auth.oidc.{key} is set, but auth.type is none", "set auth.type=oidc")
        for key, value in (("caConfigMap", "c"), ("bearerTokens", True), ("args", ["--cookie-expire=1h"]))
    ),
    ({**login(), "networkPolicy": WALLS}, "networkPolicy.egress.oidc is empty, so that the proxy does not reach", "write a rule"),
    ({"auth": {"type": "basic"}}, "auth.type is basic, but auth.basic.secret is empty", "write it"),
    ({"auth": {"basic": {"secret": "people"}}}, "auth.basic.secret is set, but auth.type is none", "set auth.type=basic"),
    ({"auth": {"oidc": {"issuer": "https://a.example"}}}, "auth.oidc.issuer is set, but auth.type is none", "set auth.type=oidc"),
    ({"gateway": {"parentRefs": [{"name": "web"}], "path": "flink"}}, 'gateway.path is "flink"', "for example /flink"),
    ({"gateway": {"parentRefs": [{"name": "web"}], "path": "/a(/|$)"}}, 'gateway.path is "/a(/|$)"', "no plain path"),
    ({"gateway": {"parentRefs": [{"name": "web"}], "path": "/../a"}}, 'gateway.path is "/../a"', "no plain path"),
    (
        {"logging": {"log4jCli": "a \x1b[31m"}},
        'logging.log4jCli has the character "\\x1b", which a block of YAML does not take',
        "leave it out",
    ),
    (
        {"gateway": {"parentRefs": [{"name": "web"}], "caConfigMap": "c"}},
        "gateway.caConfigMap is set, but tls.rest.enabled is false",
        "set tls.rest.enabled=true",
    ),
    ({"gateway": {"caConfigMap": "c"}}, "gateway is set, but gateway.parentRefs is empty", "name a Gateway"),
    ({"gateway": {"hostnames": ["a.example"]}}, "gateway is set, but gateway.parentRefs is empty", "name a Gateway"),
    (
        {"gateway": {"parentRefs": [{"name": "pre-{{ .Values.global.d }}"}]}, "global": {"d": "a: b"}},
        "gateway holds a template that gives no YAML",
        "in quotes",
    ),
    *(
        ({**values, "networkPolicy": WALLS}, wrong, remedy)
        for values, wrong, remedy in (
            ({"ingress": {"enabled": True}}, "ingress.enabled is true, but networkPolicy.ingress.rest is empty", "ingress-nginx"),
            (
                {"gateway": {"parentRefs": [{"name": "web"}]}},
                "gateway.parentRefs is set, but networkPolicy.ingress.rest is empty",
                "kubernetes.io/metadata.name: gateways",
            ),
            ({"rest": {"service": {"type": "NodePort"}}}, "rest.service.type is NodePort, but networkPolicy", "{ipBlock: {cidr"),
            (
                {"metrics": {"podMonitor": {"enabled": True}}},
                "metrics.podMonitor.enabled is true, but networkPolicy.ingress.metrics is empty",
                "monitoring",
            ),
            ({"metrics": {"scrapeAnnotations": True}}, "metrics.scrapeAnnotations is true, but networkPolicy", "monitoring"),
            ({"state": {"root": "s3://b/p"}}, "state.root names s3://b/p, but networkPolicy.egress.services is empty", "{to: ["),
            ({"state": {"folders": {"savepoints": "s3://b/s"}}}, "state.folders.savepoints names s3://b/s", "write a rule"),
            (
                {"highAvailability": {"type": "zookeeper", "zookeeper": {"quorum": "zk:2181"}}},
                "highAvailability.zookeeper.quorum names zk:2181",
                "write a rule",
            ),
            ({"flink": JOB, "job": {"python": BY_URL}}, "job names https://a.example/a.py", "write a rule"),
            (
                {"session": {"jobs": [{"name": "a", "python": BY_URL}]}},
                "session.jobs, in a, names https://a.example/a.py",
                "write a rule",
            ),
        )
    ),
    (
        {"networkPolicy": {"enabled": True, "egress": {"services": ["{{ .Release.Name }}"]}}},
        "networkPolicy/egress/services/0",
        "object",
    ),
    (
        {"storage": {"enabled": False, "existingClaim": "mine"}},
        'storage.existingClaim is "mine"',
        "set storage.enabled=true",
    ),
    ({"storage": {"mountPath": "/opt/flink/"}}, "storage.mountPath is /opt/flink,", "for example /flink-data"),
    ({"fullnameOverride": "a" * 46}, "at most 45 characters", "small letters"),
    ({"fullnameOverride": "Flink"}, "would be called Flink", "a letter first"),
    ({"commonLabels": {"app.kubernetes.io/name": "x"}}, "commonLabels sets app.kubernetes.io/name", "of your own"),
    ({"commonAnnotations": {"helm.sh/hook": "pre-install"}}, "commonAnnotations sets helm.sh/hook", "extraObjects"),
    ({"commonAnnotations": {"flink/record": "x"}}, "commonAnnotations sets flink/record", "of your own"),
    ({"flink": {"config": {"rest": {"port": 1}}}}, "flink.config.rest is a map", '"rest.port"'),
    (config(pipeline__jars=["a"]), "sets pipeline.jars to a list", "separated by semicolons"),
    (
        config(**{"high_availability": "zookeeper", "high_availability__type": "zookeeper"}),
        "high-availability and high-availability.type",
        "Use the newer name",
    ),
    (
        {"jobmanager": {"resources": {"limits": {"memory": "1.5Gi"}}}},
        'jobmanager.resources.limits.memory is "1.5Gi"',
        "a whole number with Mi or Gi",
    ),
    ({"flink": {"config": {"parallelism.default": "many"}}}, "parallelism.default to many", "a whole number"),
    ({"nameOverride": "Streams"}, "would be called release-name-Streams", "set fullnameOverride"),
    (
        {"taskmanager": {"podLabels": {"app.kubernetes.io/component": "x"}}},
        "taskmanager.podLabels has app.kubernetes.io/component",
        "another name",
    ),
    ({"jobmanager": {"podAnnotations": {"checksum/config": "x"}}}, "podAnnotations has checksum/config", "another name"),
    ({"jobmanager": {"extraVolumes": [{"name": "tmp", "emptyDir": {}}]}}, "extraVolumes has tmp", "another name"),
    ({"taskmanager": {"extraEnv": [{"name": "POD_IP", "value": "x"}]}}, "extraEnv has POD_IP", "another name"),
    ({"jobmanager": {"strategy": {"type": "RollingUpdate"}}}, "jobmanager.strategy.type is RollingUpdate", "write Recreate"),
    (config(high_availability__type="kubernetes"), "on which objects of the chart depend", "set highAvailability.type"),
    (config(high_availability__type="ZOOKEEPER"), "flink.config sets high-availability.type", "leave it out"),
    (
        {"highAvailability": {"zookeeper": {"quorum": "zk:2181"}}},
        "highAvailability.zookeeper.quorum is set, but highAvailability.type is none",
        "set highAvailability.type=zookeeper, or leave the quorum out",
    ),
    (
        {"highAvailability": {"type": "zookeeper"}, "storage": {"enabled": False}},
        "High availability needs a directory",
        "set storage.enabled=true, or state.root",
    ),
    (
        {"highAvailability": {"type": "kubernetes"}, "storage": {"enabled": False}},
        "a directory that outlives the pods",
        "set storage.enabled=true, or state.root",
    ),
    ({"savepoints": {"schedule": "@daily"}}, "savepoints.schedule is set, but flink.type is session", "set flink.type=job"),
    (
        {"flink": JOB, "storage": {"enabled": False}, "savepoints": {"schedule": "@daily"}},
        "nobody can take savepoints",
        "set hooks.enabled=true",
    ),
    ({"job": {"state": "suspended"}}, "flink.type is session, whose jobs come and go", "set flink.type=job"),
    (
        {"flink": JOB, "hooks": {"enabled": False}, "job": {"savepointOnUninstall": True}},
        "hooks.enabled is false",
        "set hooks.enabled=true",
    ),
    (
        {"flink": JOB, "storage": {"enabled": False}, "job": {"state": "suspended"}},
        "A savepoint is asked for",
        "set storage.enabled=true, or state.root",
    ),
    (
        {"flink": JOB, "storage": {"enabled": False}, "job": {"upgradeMode": "last-state"}},
        "job.upgradeMode is last-state",
        "set storage.enabled=true, or state.root",
    ),
    (
        {"flink": JOB, "state": {"root": "s3://b/p"}, "job": {"upgradeMode": "last-state"}},
        "without high availability a JobManager that restarts cannot tell the newest checkpoint in s3://b/p",
        "set highAvailability.type=kubernetes, or job.upgradeMode=savepoint",
    ),
    (
        {"flink": {**JOB, "config": {RETENTION: "DELETE_ON_CANCELLATION"}}, "job": {"upgradeMode": "last-state"}},
        f"flink.config sets {RETENTION} to DELETE_ON_CANCELLATION",
        "leave it out, or set job.upgradeMode=savepoint",
    ),
    (
        {"flink": {**JOB, "config": {RETENTION: "NO_EXTERNALIZED_CHECKPOINTS"}}, "job": {"upgradeMode": "last-state"}},
        f"flink.config sets {RETENTION} to NO_EXTERNALIZED_CHECKPOINTS",
        "leave it out, or set job.upgradeMode=savepoint",
    ),
    (
        {"flink": JOB, "job": {"savepointOnUninstall": True}},
        "the savepoint would be on the claim that goes with the release",
        "set storage.keep=true, or state.root",
    ),
    *(
        (
            {"serviceAccount": {"create": False}, **more},
            "its rights would go to every pod of the namespace",
            "serviceAccount.create=true",
        )
        for more in ({"highAvailability": {"type": "kubernetes"}}, {"flink": {"mode": "native"}})
    ),
    (
        {"flink": JOB, "state": {"backend": "forst"}, "savepoints": {"format": "canonical"}},
        "savepoints.format is canonical, which the backend forst cannot write",
        "write native",
    ),
    (
        {"highAvailability": {"zookeeper": {"root": "/mine"}}},
        "highAvailability.zookeeper.root is set, but highAvailability.type is none",
        "set highAvailability.type=zookeeper, or leave the path out",
    ),
    (
        {"highAvailability": {"type": "kubernetes", "zookeeper": {"root": "/mine"}}},
        "highAvailability.zookeeper.root is set, but highAvailability.type is kubernetes",
        "set highAvailability.type=zookeeper, or leave the path out",
    ),
    *(
        (
            {"logging": {"format": "json", "log4jConsole": text}},
            "logging.log4jConsole has no appender called console with a PatternLayout",
            "leave logging.format out",
        )
        for text in ("rootLogger.level = INFO\n", "appender.console.layout.type = JsonTemplateLayout\n")
    ),
    ({"files": {"a.txt": "x" * 1_000_001}}, "and a ConfigMap takes 1 MiB", "on the claim, or behind a URL"),
    *(
        ({"flink": JOB, "jobmanager": {"extraEnv": [{"name": name, "value": "x"}]}}, f"extraEnv has {name}", "another name")
        for name in ENV_OF_JOBS
    ),
    *(
        ({role: {"extraEnv": [{"name": name, "value": "x"}]}}, f"{role}.extraEnv sets {name}, by which the image's", remedy)
        for role in ("jobmanager", "taskmanager", "sqlGateway")
        for name, remedy in (
            ("ENABLE_BUILT_IN_PLUGINS", "flink.plugins"),
            ("FLINK_PROPERTIES", "flink.config"),
            ("JOB_MANAGER_RPC_ADDRESS", "leave it out"),
            ("TASK_MANAGER_NUMBER_OF_TASK_SLOTS", "set taskmanager.slots"),
        )
    ),
    *(
        ({"flink": {"plugins": [name]}}, f'flink.plugins has "{name}"', "without its version, for example flink-azure-fs-hadoop")
        for name in ("flink-azure-fs-hadoop-2.2.1.jar", "flink-azure-fs-hadoop-2.2.1", "opt/a", "")
    ),
    (
        {"flink": JOB, "jobmanager": {"extraVolumes": [{"name": "record", "emptyDir": {}}]}},
        "jobmanager.extraVolumes has record",
        "another name",
    ),
    # A small pod takes the JobManager's volumes, and has more of its own.
    (
        {**jobs(SPEEDS), "jobmanager": {"extraVolumes": [{"name": "exchange", "emptyDir": {}}]}},
        "jobmanager.extraVolumes has exchange",
        "another name",
    ),
    ({"commonPodLabels": {"app.kubernetes.io/instance": "x"}}, "commonPodLabels has app.kubernetes.io/instance", "another name"),
    ({"hooks": {"sidecars": [{"name": "before", "image": "a:1"}]}}, "hooks.sidecars has before", "another name"),
    ({"jobmanager": {"extraPorts": [{"name": "rest", "containerPort": 1}]}}, "jobmanager.extraPorts has rest", "another name"),
    ({"jobmanager": {"podSpec": {"nodeSelector": {"a": "b"}}}}, "podSpec sets nodeSelector", "set jobmanager.nodeSelector"),
    ({"hooks": {"podSpec": {"containers": []}}}, "hooks.podSpec sets containers", "set hooks.sidecars"),
    ({"test": {"podSpec": {"imagePullSecrets": []}}}, "test.podSpec sets imagePullSecrets", "set image.pullSecrets"),
    ({"taskmanager": {"podSpec": {"restartPolicy": "Never"}}}, "podSpec sets restartPolicy", "leave it out"),
    ({"taskmanager": {"scratch": {"name": "a", "emptyDir": {}}}}, "taskmanager.scratch has a name", "leave the name out"),
    (
        {"taskmanager": {"resources": {"requests": {"memory": "4Gi"}}}},
        "taskmanager.resources.requests.memory (4Gi) is above limits.memory (1728Mi)",
        "raise the limit",
    ),
    ({"hooks": {"resources": {"requests": {"cpu": "3"}, "limits": {"cpu": 2}}}}, "hooks.resources.requests.cpu (3)", "raise"),
    (mounted("taskmanager", "/tmp"), "taskmanager.extraVolumeMounts has /tmp, where", "set taskmanager.scratch"),
    (mounted("jobmanager", "/opt/flink/log/"), "jobmanager.extraVolumeMounts has /opt/flink/log", "logging.log4jConsole"),
    (mounted("jobmanager", "/opt/flink/conf"), "jobmanager.extraVolumeMounts has /opt/flink/conf", "flink.config"),
    (mounted("sqlGateway", "/opt/flink/scripts"), "sqlGateway.extraVolumeMounts has /opt/flink/scripts", "another path"),
    ({"jobmanager": {"podLabels": {"team": "with space"}}}, 'jobmanager.podLabels.team is "with space"', "at most 63 letters"),
    ({"taskmanager": {"nodeSelector": {"zone": "-a"}}}, 'taskmanager.nodeSelector.zone is "-a"', "at most 63 letters"),
    ({"commonLabels": {"a": "x" * 64}}, "commonLabels.a is", "at most 63 letters"),
    ({"commonPodLabels": {"a": "ü"}}, 'commonPodLabels.a is "ü"', "at most 63 letters"),
    ({"savepoints": {"podLabels": {"a": "b."}}, "flink": JOB, "storage": {"enabled": True}}, "savepoints.podLabels.a", "63"),
    (config(a__b=9007199254740993), "flink.config.a.b is a number of more digits", "put it in quotes"),
    (config(a__b=1e20), "flink.config.a.b is a number of more digits", "put it in quotes"),
    ({"job": {"args": [-9223372036854775808]}}, "job.args.0 is a number of more digits", "put it in quotes"),
    ({"image": {"tag": 2.2}}, "image.tag is 2.2", "put it in quotes"),
    ({"flink": {"version": 2.2}}, "flink.version is 2.2", "put it in quotes"),
    ({"jobmanager": {"podAnnotations": {"a": 0.5}}}, "podAnnotations.a is 0.5", "put it in quotes"),
    ({"jobmanager": {"extraEnv": [{"name": "A", "value": 1.5}]}}, "A is 1.5", "put it in quotes"),
    ({"flink": {"version": "2.2.1+x"}}, 'flink.version is "2.2.1+x"', "for example 2.2.1"),
    ({"storage": {"storageClassName": "a b"}}, 'storage.storageClassName is "a b"', "leave it out"),
    ({"storage": {"storageClassName": " "}}, 'storage.storageClassName is " "', "leave it out"),
    *(
        ({role: {"resources": memory("128Mi")}}, f"{role}.resources.limits.memory is 128Mi", "write at least")
        for role in ("jobmanager", "taskmanager")
    ),
    ({"rest": {"port": 80}}, "rest.port is 80", "write 1024 or more"),
    (
        {"image": {"registry": "a.example", "repository": "b.example/flink"}},
        "image.registry is a.example, but image.repository (b.example/flink) names a registry too",
        "leave it out of one of them",
    ),
    (
        native(taskmanager={"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1500m"}}}),
        "taskmanager.resources.requests.cpu (2) is above limits.cpu (1500m)",
        "raise the limit",
    ),
    (
        native(taskmanager={"replicas": 0}),
        "taskmanager.replicas is 0, but flink.mode is native",
        "native.maxTaskManagers",
    ),
    ({"storage": {"mountPath": "/opt/flink/record"}}, "storage.mountPath is /opt/flink/record", "/flink-data"),
    ({"storage": {"mountPath": "/etc/flink"}}, "storage.mountPath is /etc/flink", "/flink-data"),
    ({"storage": {"mountPath": "/opt/flink/plugins"}}, "storage.mountPath is /opt/flink/plugins", "/flink-data"),
]


@pytest.mark.parametrize(("values", "wrong", "remedy"), REFUSALS, ids=[wrong for _, wrong, _ in REFUSALS])
def test_flink_refuses(values: dict[str, Any], wrong: str, remedy: str) -> None:
    sentence = refused(values)
    assert wrong in sentence
    assert remedy in sentence


OWNED = {
    "rest.port": "set rest.port",
    "rest.bind-port": "set rest.port",
    "rest.address": "leave it out",
    "rest.bind-address": "leave it out",
    "jobmanager.rpc.address": "leave it out",
    "jobmanager.rpc.port": "leave it out",
    "high-availability.jobmanager.port": "leave it out",
    "jobmanager.bind-host": "leave it out",
    "blob.server.port": "leave it out",
    "metrics.internal.query-service.port": "leave it out",
    "taskmanager.rpc.port": "leave it out",
    "taskmanager.data.port": "leave it out",
    "taskmanager.data.bind-port": "leave it out",
    "taskmanager.bind-host": "leave it out",
    "taskmanager.host": "each pod announces its own address",
    "taskmanager.resource-id": "each pod announces its own address",
    "jobmanager.memory.process.size": "set jobmanager.resources.limits.memory",
    "jobmanager.memory.flink.size": "set jobmanager.resources.limits.memory",
    "taskmanager.memory.process.size": "set taskmanager.resources.limits.memory",
    "taskmanager.memory.flink.size": "set taskmanager.resources.limits.memory",
    "taskmanager.numberOfTaskSlots": "set taskmanager.slots",
    "env.java.default-opts.all": "set env.java.opts.all",
    "high-availability.zookeeper.quorum": "set highAvailability.zookeeper.quorum",
    "high-availability.zookeeper.path.root": "set highAvailability.zookeeper.root",
    "high-availability.cluster-id": "set fullnameOverride",
    "kubernetes.cluster-id": "set fullnameOverride",
    "kubernetes.namespace": "leave it out",
    "kubernetes.flink.conf.dir": "leave it out",
    "job-result-store.delete-on-commit": "run again without its state",
    "historyserver.web.port": "leave it out",
    "sql-gateway.endpoint.rest.port": "leave it out",
    "sql-gateway.endpoint.rest.address": "each pod announces its own address",
    "io.tmp.dirs": "/tmp is a volume",
    "security.ssl.rest.enabled": "set tls.rest.enabled",
}


@pytest.mark.parametrize(("option", "remedy"), OWNED.items())
def test_flink_refuses_options_that_would_break_the_chart(option: str, remedy: str) -> None:
    sentence = refused({"flink": {"config": {option: "1"}}})
    assert f"flink.config sets {option}, which would break the chart: " in sentence
    assert remedy in sentence


DEMO_REFUSALS = [
    ({"global": {"kafka": {"bootstrapServers": "k:9092"}}}, "kafka.enabled is true", "set kafka.enabled=false"),
    ({"kafka": {"enabled": False}}, "no brokers are named", "set global.kafka.bootstrapServers"),
    (
        {
            "kafka": {"enabled": False},
            "global": {"kafka": {"bootstrapServers": "k:9092"}},
            "flink": {"networkPolicy": WALLS},
        },
        "global.kafka.bootstrapServers names k:9092, but flink.networkPolicy.egress.services is empty",
        "write a rule",
    ),
    *(
        ({"kafka": {"config": {option: "x"}}}, f"kafka.config sets {option}", "leave it out")
        for option in (
            "listeners", "advertised.listeners", "process.roles", "node.id", "log.dirs", "controller.quorum.voters"
        )
    ),
    ({"flink": {"job": {"parallelism": 99}}}, "parallelism of 99", "raise one of these"),
    ({"flink": {"flink": {"type": "session"}}}, "flink.session.jobs is empty", "take values/demo-session.yaml"),
    (
        {"kafkaUi": {"enabled": True}, "global": {"kafka": {"propertiesSecret": "s"}}},
        "Kafka UI does not read such a file", "set kafkaUi.enabled=false"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("values", "wrong", "remedy"), DEMO_REFUSALS, ids=[wrong for _, wrong, _ in DEMO_REFUSALS])
def test_the_demo_refuses(values: dict[str, Any], wrong: str, remedy: str) -> None:
    sentence = refused(values, DEMO)
    assert wrong in sentence
    assert remedy in sentence


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_helm_3_refuses_the_same(chart: Any, helm3: Helm) -> None:
    values = {"flink": {"flink": {"type": "operator"}}} if chart == DEMO else {"flink": {"type": "operator"}}
    for helm in (Helm(), helm3):
        assert "'session', 'job'" in refused(values, chart, helm)


@pytest.mark.parametrize(
    "values",
    [
        {"flink": JOB, "job": {"parallelism": 2}},
        {"flink": {**JOB, "config": {"parallelism.default": 2}}, "job": {"parallelism": 2}},
        {"highAvailability": {"type": "zookeeper"}, "jobmanager": {"replicas": 2}},
        {"rest": {"service": {"type": "NodePort", "nodePort": 30081}}},
        {"storage": {"mountPath": "/opt/flink/data"}},
        {"fullnameOverride": "a" * 45},
        {"flink": {"config": {"env.java.opts.all": "-verbose"}}},
        {"flink": {"version": "1.20"}},
        {"flink": {"version": "2.3.0-SNAPSHOT"}},
        {"taskmanager": {"replicas": 0}},
        autoscaled({"metrics": MEMORY}, taskmanager={"resources": {"requests": {"cpu": None}}}),
        autoscaled(flink={**JOB, "config": {"scheduler-mode": "reactive"}}),
        {"flink": JOB, "job": {"upgradeMode": "last-state"}},
        {"flink": {**JOB, "config": {RETENTION: "RETAIN_ON_CANCELLATION"}}, "job": {"upgradeMode": "last-state"}},
        {"flink": {**JOB, "config": {RETENTION: "DELETE_ON_CANCELLATION"}}},
        {
            "flink": JOB,
            "state": {"root": "s3://b/p"},
            "job": {"upgradeMode": "last-state"},
            "highAvailability": {"type": "kubernetes"},
        },
        {"flink": JOB, "job": {"savepointOnUninstall": True}, "storage": {"keep": True}},
        {"flink": JOB, "job": {"savepointOnUninstall": True}, "storage": {"existingClaim": "mine"}},
        {"flink": JOB, "job": {"savepointOnUninstall": True}, "state": {"folders": {"savepoints": "s3://b/s"}}},
        {"serviceAccount": {"create": False}},
        {"serviceAccount": {"create": False, "name": "mine"}, "highAvailability": {"type": "kubernetes"}},
        {"flink": JOB, "state": {"backend": "forst"}, "savepoints": {"format": "native"}},
        {"highAvailability": {"type": "zookeeper", "zookeeper": {"root": "/mine/here"}}},
        {
            "highAvailability": {"type": "zookeeper", "zookeeper": {"quorum": "zk:2281", "tls": {"secretName": "s"}}},
            "flink": {"config": {"high-availability.zookeeper.client.acl": "creator"}},
        },
        {
            "highAvailability": {"type": "zookeeper"},
            "flink": {"config": {"high-availability.zookeeper.client.acl": "creator"}},
            "hooks": {"enabled": False},
        },
        config(fs__azure__account__oauth2__token__file="/var/run/token"),
        config(aws__web_identity_token_file="/x/token"),
        {"flink": {**JOB, "config": {"scheduler-mode": "reactive"}}, "job": {"parallelism": 9}},
        {"flink": {**JOB, "config": {"jobmanager.scheduler": "Adaptive"}}, "job": {"parallelism": 9}},
        {"taskmanager": {"resources": {"requests": {"memory": "1728Mi"}}}},
        {"jobmanager": {"podLabels": {"a": "", "b": "x" * 63, "c": 1, "d": "A-b_c.d"}}},
        config(a__b=9007199254740991),
        config(a__b="9007199254740993"),
        {"rest": {"port": 80}, "podSecurityContext": {"runAsUser": 0}},
        {"rest": {"port": 1024}},
        {"storage": {"storageClassName": "my.class-1"}},
        {
            "jobmanager": {"resources": memory("640Mi")},
            "taskmanager": {"resources": memory("1Gi")},
        },
        {
            "taskmanager": {"resources": memory("512Mi")},
            "flink": {"config": {"taskmanager.memory.managed.size": "0m"}},
        },
        {"x-anchors": {"a": 1}, "enabled": True},
        {"networkPolicy": WALLS, "state": {"root": "file:///flink-data/state"}},
        {"networkPolicy": {**WALLS, "egress": {"services": [{}]}}, "state": {"root": "s3://b/p"}},
        {"networkPolicy": {**WALLS, "ingress": {"rest": [{"podSelector": {}}]}}, "ingress": {"enabled": True}},
        {"networkPolicy": {"enabled": False}, "ingress": {"enabled": True}, "state": {"root": "s3://b/p"}},
        login(allowedGroups=[], allowedEmails=["*"]),
        login(args=["--client-secret-file=/etc/mine", "--redis-connection-url=redis://a"]),
        {**login(), "networkPolicy": {**WALLS, "egress": {"oidc": [{}]}}},
        {"flink": {"mode": "native"}, "taskmanager": {"replicas": None}},
        {"jobmanager": {"extraEnv": [{"name": "JOB_SPECIFICATION", "value": "free in a session"}]}},
        pytest.param({"files": {"a.txt": "x" * 900_000}}, id="files of 0.9 MB"),
        {"job": {"python": {"file": "ignored-in-a-session"}}},
    ],
    ids=str,
)
def test_what_is_close_to_a_refusal_is_taken(values: dict[str, Any]) -> None:
    render(FLINK, values)


@pytest.mark.parametrize("name", ["1a", "a.b"])
@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_a_release_name_that_no_service_takes_is_refused(chart: Any, name: str) -> None:
    with pytest.raises(HelmError, match="a letter first"):
        Helm().template(chart, name=name)
