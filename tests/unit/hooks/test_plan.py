"""THE table of `plan`: what an operation does about a job, for each situation of docs/upgrade.md."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hooks import observe, plan
from hooks.flink import Vertex
from hooks.plan import Source

from tests.unit.hooks.build import (
    CHECKPOINT,
    CHECKPOINTS,
    FORMER,
    JOB,
    NO_RECORD,
    OTHER,
    S3,
    S3_RECORD,
    SAVEPOINTS,
    checkpoints,
    deployment,
    job,
    jobmanager,
    record,
    retained,
    seen,
    stopped,
    vertices,
    wanted,
)

STOP_PATH = f"{SAVEPOINTS}/{JOB}/stop/savepoint-1"
OLD_PATH = f"{SAVEPOINTS}/{FORMER}/stop/savepoint-0"
PATH = "s3://elsewhere/savepoint-9"
SAME = {"specification": "a"}
LAST_STATE = {"upgrade_mode": "last-state"}
STATELESS = {"upgrade_mode": "stateless"}
SUSPENDED = {"state": "suspended"}
NAMED = {"from_savepoint": PATH}
SESSION = {"type": "session", "jobs_survive_restart": False}
HA = {"high_availability": "kubernetes", "jobs_survive_restart": True}
STORES = {"stores": {"s3": ""}}
NOWHERE = {"checkpoint_directory": "", "savepoint_directory": "", "claim_directory": ""}
NEW_POD = jobmanager(specification="b", template="t2")


def case(
    situation: str,
    action: str,
    source: Source | None = None,
    *,
    says: str = "",
    state: str | None = "running",
    takes_over: str = "",
    wanted: dict[str, Any] | None = None,
    job: dict[str, Any] | None = None,
    record: dict[str, Any] | None = None,
    seen: dict[str, Any] | None = None,
    rollback: bool = False,
) -> Any:
    """A row: the first line is what has to come out, the others are what is different from a job that runs and is changed."""
    given = (wanted or {}, job or {}, record or {}, seen or {}, rollback)
    return pytest.param(given, (action, source, state, takes_over), says, id=situation)


def refuse(situation: str, says: str, **given: Any) -> Any:
    return case(situation, "REFUSE", says=says, state=None, **given)


ALIVE = [
    case("the job runs and is changed", "STOP"),
    case("nothing is changed", "KEEP", job=SAME, seen={"jobmanager": jobmanager(template="t2")}),
    case("the job is to be suspended", "STOP", job={**SAME, **SUSPENDED}, state="suspended"),
    case("a savepoint is named that was never used", "STOP", Source("job.fromSavepoint", PATH), job={**SAME, **NAMED}),
    case("a savepoint is named that was used before", "STOP", job=NAMED, record={"used": PATH}),
    case("only the named savepoint is left, and it was used before", "KEEP", job={**SAME, **NAMED}, record={"used": PATH}),
    case(
        "the savepoint that was used before is named by another client of the bucket",
        "KEEP",
        job={**SAME, "from_savepoint": "s3a://b/s/_metadata"},
        record={"used": "s3://b/s/"},
    ),
    case("the job is to restart from scratch", "CANCEL", Source("stateless", previous=CHECKPOINT), job=STATELESS),
    case(
        "the job is to restart from scratch from another state",
        "CANCEL",
        Source("job.fromSavepoint", PATH, previous=CHECKPOINT),
        job={**STATELESS, **NAMED},
    ),
    case("the job is to resume from its newest checkpoint", "CANCEL", job=LAST_STATE),
    case(
        "the newest checkpoint, and a named one",
        "CANCEL",
        Source("job.fromSavepoint", PATH, previous=CHECKPOINT),
        job={**LAST_STATE, **NAMED},
    ),
    case(
        "it has never completed a checkpoint and started from nothing",
        "CANCEL",
        Source("last-state"),
        job=LAST_STATE,
        seen={"checkpoints": checkpoints("")},
    ),
    case(
        "it has completed no checkpoint since it started from a savepoint",
        "CANCEL",
        Source("last-state", OLD_PATH, former=(FORMER,)),
        job=LAST_STATE,
        record={"restore": OLD_PATH, "former": (FORMER,)},
        seen={"checkpoints": checkpoints("")},
    ),
    refuse(
        "the newest checkpoint is in the JobManager's memory",
        "in memory alone",
        job=LAST_STATE,
        seen={"checkpoints": checkpoints("", in_memory=True)},
    ),
    refuse(
        "the job itself says DELETE_ON_CANCELLATION",
        "RETAIN_ON_CANCELLATION",
        job=LAST_STATE,
        seen={"config": retained(False)},
    ),
    refuse("the job takes no externalized checkpoints", "RETAIN_ON_CANCELLATION", job=LAST_STATE, seen={"config": None}),
    refuse(
        "the job deletes its checkpoints, and may complete one that is newer than what it started from",
        "RETAIN_ON_CANCELLATION",
        job=LAST_STATE,
        seen={"config": retained(False), "checkpoints": checkpoints(OLD_PATH, restored=OLD_PATH)},
    ),
    case(
        "the job would delete its checkpoints, and cannot complete any",
        "CANCEL",
        job=LAST_STATE,
        seen={"status": "UNHEALTHY", "config": retained(False), "checkpoints": checkpoints(OLD_PATH, restored=OLD_PATH)},
    ),
    case(
        "a rollback over a version of Flink under which no task ever ran",
        "CANCEL",
        rollback=True,
        record={"flinkVersion": "2.3", "stateFlinkVersion": "2.2", "restore": OLD_PATH},
        seen={"status": "UNHEALTHY", "checkpoints": checkpoints(OLD_PATH, restored=OLD_PATH)},
    ),
    refuse(
        "a rollback over a version of Flink that has completed a checkpoint",
        "written by Flink 2.3",
        rollback=True,
        record={"flinkVersion": "2.3", "stateFlinkVersion": "2.2", "restore": OLD_PATH},
        seen={"status": "UNHEALTHY"},
    ),
    refuse(
        "a rollback over a version of Flink that has completed a savepoint, which its JobManager does not know any more",
        "written by Flink 2.3",
        rollback=True,
        record={"flinkVersion": "2.3", "stateFlinkVersion": "2.2", "savepoints": (f"{SAVEPOINTS}/{JOB}/savepoint-1",)},
        seen={"status": "UNHEALTHY", "checkpoints": checkpoints("")},
    ),
    refuse("not all tasks run", "No savepoint can be taken", seen={"status": "UNHEALTHY", "failure": "the cause"}),
    refuse("not all tasks run, and Flink says why", "the cause", seen={"status": "UNHEALTHY", "failure": "the cause"}),
    case("not all tasks run, and last-state is asked for", "CANCEL", job=LAST_STATE, seen={"status": "UNHEALTHY"}),
    case(
        "not all tasks run, and a new savepoint is named",
        "CANCEL",
        Source("job.fromSavepoint", PATH, previous=CHECKPOINT),
        job=NAMED,
        seen={"status": "UNHEALTHY"},
    ),
    case(
        "the job never came up from the savepoint that was named, which is not meant any more",
        "CANCEL",
        Source("last-state", OLD_PATH),
        record={"restore": PATH, "previous": OLD_PATH, "confirmed": 0},
        seen={"status": "UNHEALTHY", "checkpoints": checkpoints("", restored=PATH)},
    ),
    case(
        "the same, and another one is named",
        "CANCEL",
        Source("job.fromSavepoint", "s3://b/another", previous=OLD_PATH),
        job={"from_savepoint": "s3://b/another"},
        record={"restore": PATH, "previous": OLD_PATH, "confirmed": 0},
        seen={"status": "UNHEALTHY", "checkpoints": checkpoints("", restored=PATH)},
    ),
    case("not all tasks run, and nothing is changed", "KEEP", job=SAME, seen={"status": "UNHEALTHY"}),
    case("a rollback of a version whose tasks do not all run", "CANCEL", seen={"status": "UNHEALTHY"}, rollback=True),
    refuse(
        "the pods that run have no volume for a savepoint",
        "no volume at",
        record={"savepointDirectory": "", "checkpointDirectory": "", "savepointVolume": "", "checkpointVolume": ""},
        seen={"jobmanager": jobmanager(volumes={})},
    ),
    refuse(
        "this revision keeps no state, and the values do not ask for that",
        "no directory for state",
        wanted=NOWHERE,
        job={"upgrade_mode": ""},
    ),
    refuse(
        "a rollback to a revision that kept no state",
        "no directory for state",
        wanted=NOWHERE,
        job=STATELESS,
        rollback=True,
    ),
    refuse("the new revision has an older Flink", "Flink 2.2, and 1.20", wanted={"flink_version": "1.20"}),
    case(
        "a rollback to an older Flink from a version that never ran",
        "BEGIN",
        Source("last-state", OLD_PATH, former=(JOB,)),
        wanted={"flink_version": "1.20"},
        record={"restore": OLD_PATH, "confirmed": 0},
        seen={"status": "ABSENT", "never_ran": True},
        rollback=True,
    ),
    case(
        "the named checkpoint is one of a former id that the job has claimed",
        "CANCEL",
        Source("job.fromSavepoint", f"{CHECKPOINTS}/{FORMER}/chk-3"),
        job={"from_savepoint": f"{CHECKPOINTS}/{FORMER}/chk-3"},
        record={"restore": f"{CHECKPOINTS}/{FORMER}/chk-3", "own": True, "ids": (JOB, FORMER)},
    ),
    refuse(
        "a stop continues, and the new revision cannot read where it writes",
        "this revision mounts PVC other there",
        wanted={"claim": "other"},
        seen={"stop": stopped(ended=False)},
    ),
    case(
        "a stop continues, and the job is to restart from scratch",
        "STOP",
        Source("stateless", previous=CHECKPOINT),
        job=STATELESS,
        seen={"stop": stopped(ended=False)},
    ),
    refuse(
        "the newest checkpoint is the one that it has claimed, and goes with it",
        "RETAIN_ON_CANCELLATION",
        job=LAST_STATE,
        record={"restore": CHECKPOINT, "own": True},
        seen={"config": retained(False), "checkpoints": checkpoints(CHECKPOINT, restored=CHECKPOINT)},
    ),
    case(
        "it has completed no checkpoint, but a savepoint on demand",
        "CANCEL",
        Source("last-state", f"{SAVEPOINTS}/{JOB}/savepoint-2"),
        job=LAST_STATE,
        record={"savepoints": (f"{SAVEPOINTS}/{JOB}/savepoint-2",)},
        seen={"checkpoints": checkpoints("")},
    ),
    refuse(
        "there is no directory for a savepoint",
        "no directory for a savepoint",
        wanted={"savepoint_directory": ""},
        record={"savepointDirectory": ""},
    ),
    case(
        "the new revision has no directory for savepoints, but the old one has",
        "STOP",
        wanted={"savepoint_directory": ""},
    ),
    case("TaskManagers alone change", "KEEP", job=SAME, seen={"jobmanager": jobmanager(template="t2")}),
    case("image.pullPolicy changes, with the state on the claim", "KEEP", job=SAME),
    case("image.pullPolicy changes, under high availability on S3", "KEEP", job=SAME, wanted={**S3, **HA}, record=S3_RECORD),
    case("image.pullPolicy changes, on S3 without high availability", "STOP", job=SAME, wanted=S3, record=S3_RECORD),
    case("image.pullPolicy changes, with state nowhere", "STOP", job=SAME, wanted={"claim_directory": ""}),
]

FOUR = {**SAME, "parallelism": 4}
SCALED = {"parallelism": 4, "followers": ("v0",)}
# The first vertex has the parallelism of the job, and the second one its own.
RESCALED = [
    case("job.parallelism is raised", "RESCALE", job=FOUR, record={"parallelism": 2}, seen={"vertices": vertices(2, 3)}),
    case("it is lowered", "RESCALE", job=FOUR, record={"parallelism": 8}, seen={"vertices": vertices(8, 1)}),
    case("it is as it was", "KEEP", job=FOUR, record={"parallelism": 4}, seen={"vertices": vertices(4, 2)}),
    case(
        "it was written down, and Flink has not heard of it",
        "RESCALE",
        job=FOUR,
        record=SCALED,
        seen={"vertices": vertices(2, 3)},
    ),
    case("it was changed before", "KEEP", job=FOUR, record=SCALED, seen={"vertices": vertices(4, 3)}),
    case(
        "a vertex of its own parallelism, which is that of the job by now",
        "KEEP",
        job=FOUR,
        record=SCALED,
        seen={"vertices": vertices(4, 4)},
    ),
    case(
        "a JobManager without high availability has come up with the previous parallelism",
        "RESCALE",
        job=FOUR,
        record=SCALED,
        seen={"vertices": vertices(2, 4)},
    ),
    case("the program sets all of it itself", "KEEP", job=FOUR, record={"parallelism": 2}, seen={"vertices": vertices(3, 1)}),
    case(
        "the program changes as well", "STOP", job={"parallelism": 4}, record={"parallelism": 2}, seen={"vertices": vertices(2)}
    ),
    case(
        "it is to be suspended",
        "STOP",
        job={**FOUR, **SUSPENDED},
        record={"parallelism": 2},
        seen={"vertices": vertices(2)},
        state="suspended",
    ),
    case("nobody knows with which it was begun", "KEEP", job=FOUR, seen={"vertices": vertices(2)}),
    case(
        "a rollback of it",
        "RESCALE",
        job={**SAME, "parallelism": 2},
        record=SCALED,
        seen={"vertices": vertices(4, 2)},
        rollback=True,
    ),
    case(
        "the JobManager does not answer, and job.parallelism is another one",
        "KEEP",
        job=FOUR,
        record={"parallelism": 2},
        seen={"status": "UNREACHABLE"},
    ),
    case(
        "the job waits for slots, of which Flink tells the bounds alone",
        "RESCALE",
        job=FOUR,
        record={"parallelism": 8},
        seen={"status": "UNHEALTHY", "vertices": (Vertex("v0", 1, 8),)},
    ),
    refuse(
        "more than the state was split for",
        "Write at most 3, or",
        job=FOUR,
        record={"parallelism": 2},
        seen={"vertices": vertices(2, maximum=3)},
    ),
    refuse("a batch job", "a batch job takes", job=FOUR, record={"parallelism": 2}),
]
ROLLBACKS = [
    case(
        "helm rollback to a revision whose job.fromSavepoint is set, years later",
        "STOP",
        job=NAMED,
        rollback=True,
    ),
    case("helm rollback to a revision with job.upgradeMode=stateless", "STOP", job=STATELESS, rollback=True),
    case(
        "helm rollback to stateless, where there is no state at all",
        "CANCEL",
        Source("stateless", previous=CHECKPOINT),
        job=STATELESS,
        wanted=NOWHERE,
        record={"checkpointDirectory": "", "savepointDirectory": ""},
        rollback=True,
    ),
    case(
        "helm rollback after uninstall --keep-history: the named savepoint is all that there is",
        "BEGIN",
        Source("install", PATH),
        job=NAMED,
        record=NO_RECORD,
        seen={"status": "UNREACHABLE", "jobmanager": None},
        rollback=True,
    ),
    case(
        "helm rollback while the JobManager is unreachable",
        "BEGIN",
        Source("last-state", former=(JOB,)),
        seen={"status": "UNREACHABLE"},
        rollback=True,
    ),
]

ENDED = [
    case("FAILED, changed", "BEGIN", Source("last-state", CHECKPOINT, own=True), seen={"status": "FAILED"}),
    case("FAILED, the same again", "BEGIN", Source("last-state", CHECKPOINT, own=True), job=SAME, seen={"status": "FAILED"}),
    case(
        "FAILED before its first checkpoint",
        "BEGIN",
       Source("last-state", OLD_PATH, own=False),
        record={"restore": OLD_PATH},
        seen={"status": "FAILED", "checkpoints": checkpoints("")},
    ),
    case("FAILED, a new savepoint named", "BEGIN", Source("job.fromSavepoint", PATH, previous=CHECKPOINT), job=NAMED,
         seen={"status": "FAILED"}),
    case("FAILED, to restart from scratch", "BEGIN", Source("stateless", previous=CHECKPOINT), job=STATELESS,
         seen={"status": "FAILED"}),
    refuse(
        "FAILED, and Flink deleted its checkpoints",
        "has failed, and Flink deleted its checkpoints",
        seen={"status": "FAILED", "config": replace(retained(False), survives_failure=False)},
    ),
    case(
        "a second path that was mistyped",
        "BEGIN",
        Source("job.fromSavepoint", PATH, previous=STOP_PATH),
        job=NAMED,
        record={"restore": "s3://b/typo", "previous": STOP_PATH, "confirmed": 0},
        seen={"status": "FAILED", "never_ran": True},
    ),
    refuse(
        "FAILED, its checkpoints were in memory",
        "in memory alone",
        seen={"status": "FAILED", "checkpoints": checkpoints("", in_memory=True)},
    ),
    case("FAILED, to be suspended", "BEGIN", Source("last-state", CHECKPOINT, own=True), job=SUSPENDED, state="suspended",
         seen={"status": "FAILED"}),
    case("cancelled by hand", "BEGIN", Source("last-state", CHECKPOINT, own=True), job=SAME, seen={"status": "CANCELED"}),
    refuse(
        "cancelled by hand, and Flink deleted its checkpoints",
        "Flink deleted its checkpoints",
        seen={"status": "CANCELED", "config": retained(False)},
    ),
    case(
        "cancelled by hand before its first checkpoint, of a job that deletes them",
        "BEGIN",
       Source("last-state", OLD_PATH),
        seen={"status": "CANCELED", "config": retained(False), "checkpoints": checkpoints(OLD_PATH, restored=OLD_PATH)},
    ),
    case(
        "stopped by hand with `flink stop`",
        "BEGIN",
       Source("savepoint", STOP_PATH),
        job=SAME,
        seen={"status": "FINISHED", "checkpoints": checkpoints(stopped_with=STOP_PATH)},
    ),
    case(
        "the hook that stopped it was killed",
        "BEGIN",
       Source("savepoint", STOP_PATH),
        record={"pending": f"{JOB} trigger {SAVEPOINTS}"},
        seen={"status": "FINISHED", "stop": stopped(STOP_PATH)},
    ),
    case(
        "the hook that stopped it was killed, and a new savepoint is named",
        "BEGIN",
        Source("job.fromSavepoint", PATH, previous=STOP_PATH),
        job=NAMED,
        record={"pending": f"{JOB} trigger {SAVEPOINTS}"},
        seen={"status": "FINISHED", "stop": stopped(STOP_PATH)},
    ),
    case(
        "it ended while a stop was begun of which nothing is known",
        "BEGIN",
       Source("last-state", former=(JOB,)),
        record={"pending": f"{JOB} trigger {SAVEPOINTS}"},
        seen={"status": "FINISHED", "config": None},
    ),
    case(
        "it finished by itself after a stop was begun that did not end it",
        "KEEP",
        job=SAME,
        record={"pending": f"{JOB} trigger {SAVEPOINTS}"},
        seen={"status": "FINISHED"},
    ),
    case("it has finished by itself", "KEEP", job=SAME, seen={"status": "FINISHED"}),
    case("it has finished by itself, and is changed", "BEGIN", Source("after its end"), seen={"status": "FINISHED"}),
    case(
        "it has finished by itself, and a new savepoint is named",
        "BEGIN",
       Source("after its end", PATH),
        job={**SAME, **NAMED},
        seen={"status": "FINISHED"},
    ),
    case("a job of a session that finished long ago", "KEEP", job=SAME, wanted=SESSION, record={"state": "finished"},
         seen={"status": "ABSENT"}, state="finished"),
    case("a job of a session that finished long ago, and is changed", "BEGIN", Source("after its end"), wanted=SESSION,
         record={"state": "finished"}, seen={"status": "ABSENT"}),
]  # fmt: skip

OUT_OF_SIGHT = [
    case("REST does not answer, and nothing is changed", "KEEP", job=SAME, seen={"status": "UNREACHABLE"}),
    case(
        "the revision before never came to be, and nothing is changed",
        "KEEP",
        job=SAME,
        record={"confirmed": 0},
        seen={"status": "ABSENT", "never_ran": True, "jobmanager": jobmanager(specification="x")},
    ),
    refuse("REST does not answer", "cannot be reached at http://r-rest:8081", seen={"status": "UNREACHABLE"}),
    refuse("REST does not answer: what helps", "job.upgradeMode=last-state", seen={"status": "UNREACHABLE"}),
    case(
        "REST does not answer, and last-state is asked for: the files tell",
        "BEGIN",
        Source("last-state", OLD_PATH, former=(JOB, FORMER)),
        job=LAST_STATE,
        record={"restore": OLD_PATH, "former": (FORMER,)},
        seen={"status": "UNREACHABLE"},
    ),
    case(
        "job.state=suspended while the JobManager is unreachable",
        "BEGIN",
        Source("last-state", former=(JOB,)),
        job={**SAME, **LAST_STATE, **SUSPENDED},
        seen={"status": "UNREACHABLE"},
        state="suspended",
    ),
    refuse(
        "the first upgrade after an install, REST not reachable from the hook, state on S3, no high availability",
        "its newest state is not known",
        wanted=S3,
        record={**S3_RECORD, "confirmed": 0},
        seen={"status": "UNREACHABLE"},
    ),
    refuse(
        "REST does not answer, last-state on S3 without high availability",
        f"s3://b/checkpoints/{JOB}/chk-<number>",
        wanted=S3,
        record=S3_RECORD,
        job=LAST_STATE,
        seen={"status": "UNREACHABLE"},
    ),
    case(
        "a version that never ran cannot block its own repair",
        "BEGIN",
        Source("last-state", "s3://b/s"),
        wanted=S3,
        record={**S3_RECORD, "confirmed": 0, "restore": "s3://b/s"},
        seen={"status": "UNREACHABLE", "never_ran": True},
    ),
    case(
        "high availability knows the job",
        "BEGIN",
        Source("last-state", OLD_PATH, same_job=True),
        wanted=HA,
        job=LAST_STATE,
        record={"restore": OLD_PATH},
        seen={"status": "UNREACHABLE", "known_to_store": True},
    ),
    case(
        "high availability knows the job, which has completed a savepoint on demand",
        "BEGIN",
        Source("last-state", f"{SAVEPOINTS}/{JOB}/savepoint-1", same_job=True),
        wanted=HA,
        job=LAST_STATE,
        record={"restore": CHECKPOINT, "own": True, "savepoints": (f"{SAVEPOINTS}/{JOB}/savepoint-1",)},
        seen={"status": "UNREACHABLE", "known_to_store": True},
    ),
    refuse(
        "high availability knows the job, but of another version of Flink",
        "Flink 1.20",
        wanted=HA,
        job=LAST_STATE,
        record={"flinkVersion": "1.20"},
        seen={"status": "UNREACHABLE", "known_to_store": True},
    ),
    refuse(
        "high availability knows the job of a session, and Flink does not show it yet",
        "Wait until it does.",
        wanted={**HA, "type": "session"},
        seen={"status": "ABSENT", "known_to_store": True},
    ),
    case(
        "high availability: the job is terminal, the JobManager restarted, and the user obeys the refusal with last-state",
        "BEGIN",
        Source("last-state", OLD_PATH, former=(JOB,)),
        wanted=HA,
        job=LAST_STATE,
        record={"restore": OLD_PATH},
        seen={"status": "ABSENT"},
    ),
    case(
        "high availability: the job is terminal and the JobManager restarted, with the default mode",
        "BEGIN",
        Source("last-state", OLD_PATH, former=(JOB,)),
        wanted=HA,
        record={"restore": OLD_PATH},
        seen={"status": "ABSENT"},
    ),
    case(
        "its JobManager has been scaled away, as by kubectl apply with job.state=suspended",
        "BEGIN",
        Source("last-state", former=(JOB,)),
        job={**SAME, **SUSPENDED},
        seen={"status": "UNREACHABLE", "jobmanager": jobmanager(replicas=0)},
        state="suspended",
    ),
    refuse(
        "its JobManager has been scaled away, and its checkpoints are on S3",
        f"Name it with job.fromSavepoint=s3://b/checkpoints/{JOB}/chk-<number>",
        wanted=S3,
        job={**SAME, **SUSPENDED},
        record=S3_RECORD,
        seen={"status": "UNREACHABLE", "jobmanager": jobmanager(replicas=0)},
    ),
    refuse(
        "nobody can tell whether the generation has run",
        f"job.fromSavepoint=s3://b/checkpoints/{JOB}/chk-<number> (or s3://b/s, if that job has never run), or restart",
        wanted=S3,
        record={**S3_RECORD, "confirmed": 0, "restore": "s3://b/s"},
        seen={"status": "UNREACHABLE"},
    ),
    refuse(
        "high availability on S3: the job is terminal and the JobManager restarted",
        "its newest state is not known",
        wanted={**S3, **HA},
        job=LAST_STATE,
        record=S3_RECORD,
        seen={"status": "ABSENT"},
    ),
    refuse(
        "Flink does not know the job, and runs another",
        "runs others: mine",
        seen={"status": "ABSENT", "others": ((OTHER, "mine"),)},
    ),
    case(
        "unreachable, and a new savepoint is named",
        "BEGIN",
        Source("job.fromSavepoint", PATH, previous_former=(JOB,)),
        job=NAMED,
        seen={"status": "UNREACHABLE"},
    ),
    case(
        "unreachable, and to restart from scratch",
        "BEGIN",
        Source("stateless", previous_former=(JOB,)),
        job=STATELESS,
        seen={"status": "UNREACHABLE"},
    ),
    refuse(
        "a reinstall under the name of a release whose claim was deleted",
        "The PVC with the state of the job is gone",
        seen={"status": "UNREACHABLE", "jobmanager": None, "claim": ""},
    ),
    case(
        "a reinstall under the name of a release whose claim was deleted, from scratch",
        "BEGIN",
        Source("stateless", previous_former=(JOB,)),
        job=STATELESS,
        seen={"status": "UNREACHABLE", "jobmanager": None, "claim": ""},
    ),
    case(
        "a reinstall under the name of a release whose claim was kept",
        "BEGIN",
        Source("last-state", former=(JOB,)),
        seen={"status": "UNREACHABLE", "jobmanager": None},
    ),
    refuse(
        "unreachable, and the new revision mounts another claim",
        "this revision mounts PVC other there",
        wanted={"claim": "other"},
        job=LAST_STATE,
        seen={"status": "UNREACHABLE"},
    ),
    refuse(
        "unreachable, and the state of the files was written by another backend",
        "written by rocksdb, and hashmap cannot read it",
        job=LAST_STATE,
        record={"backend": "rocksdb"},
        seen={"status": "UNREACHABLE"},
    ),
    case(
        "the hook was killed before it replaced the pod, whose container then restarted",
        "BEGIN",
        Source("last-state", CHECKPOINT, own=True, former=(JOB,)),
        job=SAME,
        record={"pending": "restart uid", "confirmed": 0, "restore": CHECKPOINT, "own": True},
        seen={"status": "UNREACHABLE", "never_ran": True},
    ),
]

WITHOUT_HOOKS_MEANWHILE = [
    refuse("it was started without hooks, and its JobManager is silent", "The job was started without hooks",
           job=LAST_STATE, seen={"status": "UNREACHABLE", "jobmanager": jobmanager(specification="c", has_record=False)}),
    refuse("it was started without hooks, and nobody knows its id", f"job.fromSavepoint={CHECKPOINTS}/<job>/chk-<number>",
           job=LAST_STATE, seen={"status": "UNREACHABLE", "jobmanager": jobmanager(specification="c", has_record=False)}),
    *(case(f"it is {state} by the record, and was started without hooks", "ADOPT", takes_over=OTHER, record={"state": state},
           seen={"status": "ABSENT", "jobmanager": jobmanager(specification="c", has_record=False), "others": ((OTHER, "job"),)})
      for state in ("suspended", "finished")),
]  # fmt: skip

RESUMING = [
    case("it stays suspended", "KEEP", job=SUSPENDED, record=SUSPENDED, seen={"status": "UNREACHABLE", "jobmanager": None},
         state="suspended"),
    refuse(
        "it resumes where no state is kept, as the values have said since it was suspended",
        "no directory for state",
        wanted=NOWHERE,
        job={**SAME, "upgrade_mode": ""},
        record={**SUSPENDED, "restore": STOP_PATH},
        seen={"status": "UNREACHABLE", "jobmanager": None},
    ),
    case("it resumes", "RESUME", Source("resume", STOP_PATH), record={**SUSPENDED, "restore": STOP_PATH},
         seen={"status": "UNREACHABLE"}),
    case("it runs all the same, and is to run", "STOP", job=SAME, record={**SUSPENDED, "restore": STOP_PATH}),
    case("it runs all the same, and is to stay suspended", "STOP", job={**SAME, **SUSPENDED}, record=SUSPENDED,
         state="suspended"),
    case("it runs all the same under its previous id, since it was suspended while unreachable", "ADOPT", takes_over=FORMER,
         record={**SUSPENDED, "former": (FORMER,), "ids": (JOB, FORMER)},
         seen={"status": "ABSENT", "others": ((FORMER, "job"),)}),
    case("a second try of a path that was never seen running keeps the way back", "RESUME",
         Source("resume", PATH, previous=STOP_PATH), wanted=STORES, job={"from_savepoint": PATH},
         record={**SUSPENDED, "restore": PATH, "previous": STOP_PATH, "confirmed": 0, "used": PATH},
         seen={"status": "UNREACHABLE"}),
    refuse("its newest checkpoint is in another directory of the same claim", "Leave state.root and storage.mountPath",
           record={**SUSPENDED, "former": (JOB,), "checkpointDirectory": "file:///flink-data/elsewhere/checkpoints"},
           seen={"status": "UNREACHABLE"}),
    case(
        "it resumes, after it was suspended while the JobManager was unreachable",
        "RESUME",
       Source("resume", former=(JOB,)),
        record={**SUSPENDED, "former": (JOB,)},
        seen={"status": "UNREACHABLE"},
    ),
    case(
        "it resumes, after it was suspended under high availability while the JobManager was unreachable",
        "RESUME",
       Source("resume", same_job=True),
        wanted=HA,
        record=SUSPENDED,
        seen={"status": "UNREACHABLE", "known_to_store": True},
    ),
    refuse("its newest checkpoint is of the job before, in a store that nobody can list",
           f"newest state of the job {FORMER} is not known. Nothing was changed. Name it with "
           f"job.fromSavepoint=s3://b/checkpoints/{FORMER}/chk-<number>",
           wanted=S3, record={**S3_RECORD, **SUSPENDED, "former": (FORMER,)}, seen={"status": "UNREACHABLE"}),
    case("it resumes from a new path", "RESUME", Source("job.fromSavepoint", PATH, previous=STOP_PATH), job=NAMED,
         record={**SUSPENDED, "restore": STOP_PATH}, seen={"status": "UNREACHABLE"}),
    case("it restarts from scratch after it was suspended", "RESUME", Source("stateless", previous=STOP_PATH), job=STATELESS,
         record={**SUSPENDED, "restore": STOP_PATH}, seen={"status": "UNREACHABLE"}),
    refuse(
        "it would resume from a claim that the new revision does not mount",
        "this revision mounts PVC other there",
        wanted={"claim": "other"},
        record={**SUSPENDED, "restore": STOP_PATH},
        seen={"status": "UNREACHABLE"},
    ),
    refuse(
        "its newest checkpoint is on a claim that the new revision does not mount",
        "this revision mounts PVC other there",
        wanted={"claim": "other"},
        record={**SUSPENDED, "former": (JOB,)},
        seen={"status": "UNREACHABLE"},
    ),
    refuse(
        "it was suspended with a savepoint of forst, and the new revision has rocksdb",
        "written by forst, and rocksdb cannot read it",
        wanted={"state_backend": "rocksdb"},
        record={**SUSPENDED, "restore": STOP_PATH, "backend": "forst"},
        seen={"status": "UNREACHABLE"},
    ),
]  # fmt: skip

WITHOUT_RECORD = [
    case("an install", "BEGIN", Source("install", first=True), record=NO_RECORD,
         seen={"status": "UNREACHABLE", "jobmanager": None}),
    case("an install from a savepoint", "BEGIN", Source("install", PATH), job=NAMED, record=NO_RECORD,
         seen={"status": "UNREACHABLE", "jobmanager": None}),
    case("an install that is suspended at first", "BEGIN", Source("install", first=True), job=SUSPENDED, record=NO_RECORD,
         seen={"status": "UNREACHABLE", "jobmanager": None}, state="suspended"),
    case("an install that says that it starts from nothing", "BEGIN", Source("install"), job=STATELESS, record=NO_RECORD,
         seen={"status": "UNREACHABLE", "jobmanager": None, "stored": (OTHER,)}),
    refuse("record and Deployment were deleted, and high availability knows the job",
           f"Name the newest state with job.fromSavepoint={CHECKPOINTS}/{OTHER}/chk-<number>", record=NO_RECORD,
           seen={"status": "UNREACHABLE", "jobmanager": None, "stored": (OTHER,)}),
    case("the same, and a path is named", "BEGIN", Source("install", PATH), job=NAMED, record=NO_RECORD,
         seen={"status": "UNREACHABLE", "jobmanager": None, "stored": (OTHER,)}),
    case("the first job that found state which it does not know is changed", "BEGIN", Source("last-state", first=True),
         job=LAST_STATE, record={"confirmed": 0, "restore": "", "first": True},
         seen={"status": "ABSENT", "never_ran": True}, wanted={"claim_directory": ""}),
    case("it is to start from scratch, and nothing else changes", "BEGIN", Source("stateless"),
         job={**SAME, **STATELESS}, record={"confirmed": 0, "restore": "", "first": True},
         seen={"status": "ABSENT", "never_ran": True}),
    case("a new job of a session", "BEGIN", Source("install"), wanted=SESSION, record=NO_RECORD,
         seen={"status": "ABSENT", "jobmanager": jobmanager(type="session")}),
    case("helm template | kubectl apply: the Deployment is a second old", "BEGIN", Source("install", first=True),
         record=NO_RECORD, seen={"status": "UNREACHABLE", "jobmanager": jobmanager(is_new=True, made_by_helm=False)}),
    case("a release of a chart without records", "ADOPT", record=NO_RECORD, takes_over=JOB,
         seen={"status": "ABSENT", "others": ((JOB, "job"),)}),
    case("a release of a chart without records, whose job has ended", "ADOPT", record=NO_RECORD, takes_over=JOB,
         seen={"status": "ABSENT", "ended_others": (JOB, OTHER)}),
    refuse("the record is gone, and several jobs run", "several jobs run: one, two", record=NO_RECORD,
           seen={"status": "ABSENT", "others": ((JOB, "one"), (OTHER, "two"))}),
    refuse("the record was deleted, and the job cannot be asked", f"job.fromSavepoint={CHECKPOINTS}/<job>/chk-<number>",
           record=NO_RECORD, seen={"status": "UNREACHABLE"}),
    case("the record was deleted, and a path is named", "BEGIN", Source("job.fromSavepoint", PATH), job=NAMED, record=NO_RECORD,
         seen={"status": "UNREACHABLE"}),
    case("the record was deleted, and it is to restart from scratch", "BEGIN", Source("stateless"), job=STATELESS,
         record=NO_RECORD, seen={"status": "UNREACHABLE"}),
    refuse("a session cluster becomes a job cluster while somebody's job runs", "these jobs of it would be lost: mine",
           record=NO_RECORD, seen={"status": "ABSENT", "jobmanager": jobmanager(type="session"), "others": ((OTHER, "mine"),)}),
    refuse("a session cluster becomes a job cluster, and does not answer", "REST does not answer", record=NO_RECORD,
           seen={"status": "UNREACHABLE", "jobmanager": jobmanager(type="session")}),
    refuse("a bounded job runs, and the previous job is suspended", "A bounded job of this release runs (pod p)",
           record={"state": "suspended"}, seen={"status": "UNREACHABLE", "jobmanager": None, "bounded": ("p",)}),
    refuse("a session cluster that was a job cluster becomes one again while somebody's job runs",
           "these jobs of it would be lost: mine", record={"state": "suspended"},
           seen={"status": "ABSENT", "jobmanager": jobmanager(type="session"), "others": ((OTHER, "mine"),)}),
    case("a session cluster that never came up goes back to the job that it was", "RESUME", Source("resume", STOP_PATH),
         record={"state": "suspended", "restore": STOP_PATH}, rollback=True,
         seen={"status": "UNREACHABLE", "jobmanager": jobmanager(type="session")}),
    case("an empty session cluster becomes a job cluster", "BEGIN", Source("install"), record=NO_RECORD,
         seen={"status": "ABSENT", "jobmanager": jobmanager(type="session")}),
    refuse("a bounded job becomes unbounded while it runs", "A bounded job of this release runs (pod r-1)", record=NO_RECORD,
           seen={"status": "ABSENT", "jobmanager": None, "bounded": ("r-1",)}),
]  # fmt: skip

# An install and an upgrade are the same event: each sync of Argo CD runs it.
ARGO_CD = [
    case("a sync of Argo CD that changes nothing", "KEEP", job=SAME, seen={"jobmanager": jobmanager(template="t2")}),
    case("a sync of Argo CD that changes nothing, with a savepoint in the values", "KEEP", job={**SAME, **NAMED},
         record={"used": PATH}, seen={"jobmanager": jobmanager(template="t2", made_by_helm=False)}),
    case("a sync of Argo CD that changes the job", "STOP", seen={"jobmanager": jobmanager(made_by_helm=False)}),
]  # fmt: skip

MOVES = [
    refuse("the PVC is being deleted", "PVC data is being deleted", job=SAME, seen={"claim_being_deleted": "data"}),
    refuse("the PVC is being deleted, and is mounted again", "PVC data is being deleted",
           job=STATELESS, seen={"claim_being_deleted": "data"}),
    case("the PVC is being deleted, and another one is mounted", "CANCEL", Source("stateless", previous=CHECKPOINT),
         job=STATELESS, wanted={"claim": "other"}, seen={"claim_being_deleted": "data"}),
    refuse("storage.existingClaim becomes the claim's own name", "storage.keep=true", job=SAME, seen={"claim_that_goes": "data"}),
    refuse("the claim leaves the release, with job.upgradeMode=last-state", "would be deleted with all its files", job=LAST_STATE,
           seen={"claim_that_goes": "data"}),
    case("the claim leaves the release, and the job is to restart from scratch", "CANCEL",
         Source("stateless", previous=CHECKPOINT), job=STATELESS, seen={"claim_that_goes": "data"}),
    refuse("a rollback to a stateless revision without the claim", "would be deleted with all its files", job=LAST_STATE,
           seen={"claim_that_goes": "data"}, rollback=True),
    refuse("storage.existingClaim names another claim", "on PVC data, and this revision mounts PVC other there",
           wanted={"claim": "other"}),
    refuse("storage is switched off", "this revision mounts no such volume there", wanted={"claim": ""}),
    refuse("last-state onto another claim", "on PVC data, and this revision mounts PVC other there", wanted={"claim": "other"},
           job=LAST_STATE),
    refuse("FAILED, and the new revision mounts another claim", "this revision mounts PVC other there",
           wanted={"claim": "other"}, seen={"status": "FAILED"}),
    refuse("the store is another one, with a bucket of the same name",
           "at http://minio:9000, and this revision looks for it at http://new:9000.",
           wanted={**S3, "stores": {"s3": "http://new:9000"}}, record={**S3_RECORD, "stores": ("s3=http://minio:9000",)}),
    refuse("the store is another one, and only the newest checkpoint is left", "and this revision looks for it at http://new:9000.",
           wanted={**S3, "stores": {"s3": "http://new:9000"}}, record=S3_RECORD,
           seen={"status": "FAILED", "checkpoints": checkpoints(f"s3://b/checkpoints/{JOB}/chk-7")}),
    refuse("the store is another one, and the job is suspended", "and this revision looks for it at http://new:9000.",
           wanted={**S3, "stores": {"s3": "http://new:9000"}},
           record={**S3_RECORD, "state": "suspended", "restore": "s3://b/savepoints/s"}),
    case("the store is another one, and the copy there is named", "STOP", Source("job.fromSavepoint", PATH), job=NAMED,
         wanted={**S3, "stores": {"s3": "http://new:9000"}}, record=S3_RECORD),
    case("the endpoint is written otherwise", "STOP", wanted={**S3, "stores": {"s3": "http://minio:9000/"}},
         record={**S3_RECORD, "stores": ("s3=http://minio:9000",)}),
    case("an older record does not know the endpoint", "STOP", wanted={**S3, "stores": {"s3": "http://new:9000"}},
         record={**S3_RECORD, "stores": ()}),
    refuse("state.root moves from S3 to the claim, and the pods lose their plugin", "cannot read s3://",
           wanted={"stores": {}}, record=S3_RECORD),
    case("state.root moves from S3 to the claim, and the plugin stays", "STOP", wanted=STORES, record=S3_RECORD),
    case("state.root moves from the claim to S3, and the claim stays", "STOP", wanted={**S3, "claim": "data"}),
    case("another claim, and a copy of the state is named", "STOP", Source("job.fromSavepoint", PATH),
         wanted={"claim": "other"}, job=NAMED),
    case("another claim, for a job whose state is on none", "STOP",
         wanted={**S3, "claim": "other"}, record=S3_RECORD),
    refuse("nameOverride is changed", "Leave nameOverride and fullnameOverride as they were",
           seen={"renamed_from": "r-old", "jobmanager": None, "status": "UNREACHABLE"}),
]  # fmt: skip

BACKENDS = [
    case("from hashmap to rocksdb", "STOP", wanted={"state_backend": "rocksdb"}),
    refuse("from hashmap to forst", "written by hashmap, and forst cannot read it", wanted={"state_backend": "forst"}),
    refuse("from forst to rocksdb", "Leave state.backend=forst", wanted={"state_backend": "rocksdb"},
           record={"backend": "forst"}),
    case("forst as before", "STOP", wanted={"state_backend": "forst"}, record={"backend": "forst"}),
    refuse("from hashmap to rocksdb by last-state", "change it with job.upgradeMode=savepoint", job=LAST_STATE,
           wanted={"state_backend": "rocksdb"}),
    refuse("FAILED, and from hashmap to rocksdb", "Leave state.backend=hashmap", wanted={"state_backend": "rocksdb"},
           seen={"status": "FAILED"}),
    case("from hashmap to forst, from scratch", "CANCEL", Source("stateless", previous=CHECKPOINT),
         job=STATELESS, wanted={"state_backend": "forst"}),
    case("from an older chart, which did not write the backend down", "STOP", wanted={"state_backend": "rocksdb"},
         record={"backend": ""}),
    case("from hashmap to forst, with a path", "STOP", Source("job.fromSavepoint", PATH), job=NAMED,
         wanted={"state_backend": "forst"}),
]  # fmt: skip

SESSIONS = [
    case("a job of a session is changed", "STOP", wanted=SESSION),
    case("the JobManager of a session is replaced, and would forget its jobs", "STOP", job=SAME, wanted=SESSION,
         seen={"jobmanager_replaced": True}),
    case("the JobManager of a session is replaced, and remembers its jobs", "KEEP", job=SAME, wanted=SESSION),
    case("a job leaves session.jobs", "STOP", job={**SAME, **SUSPENDED}, wanted=SESSION, state="suspended"),
    case("a job leaves session.jobs that the JobManager has forgotten", "BEGIN",
         Source("has left session.jobs", CHECKPOINT, own=True, former=(JOB,)), job={**SAME, **SUSPENDED}, wanted=SESSION,
         record={"restore": CHECKPOINT, "own": True}, seen={"status": "ABSENT"}, state="suspended"),
    refuse("a job leaves session.jobs while the JobManager is unreachable",
           "so that the job cannot be stopped. Nothing was changed.",
           job={**SAME, **SUSPENDED}, wanted=SESSION, seen={"status": "UNREACHABLE"}),
    case("and with a rollback", "KEEP", job={**SAME, **SUSPENDED}, wanted=SESSION, seen={"status": "UNREACHABLE"},
         rollback=True),
    refuse("a job of a session whose tasks do not all run", "cancel it with `flink cancel`", wanted=SESSION,
           seen={"status": "UNHEALTHY"}),
    case("the JobManager of a session forgot a job whose files lie on the claim", "BEGIN",
        Source("last-state", former=(JOB,)), job=SAME, wanted=SESSION, seen={"status": "ABSENT"}),
    refuse("the JobManager of a session forgot a job whose state is on S3", "its newest state is not known", job=SAME,
           wanted={**SESSION, **S3}, record=S3_RECORD, seen={"status": "ABSENT"}),
    refuse("a job of a session leaves the list with its directories", "no directory for state", wanted={**SESSION, **NOWHERE},
           job={**SAME, **SUSPENDED, "upgrade_mode": ""}),
    refuse("the JobManager of a session is replaced by one without directories",
           "take the job out of session.jobs in an upgrade before this one", wanted={**SESSION, **NOWHERE},
           job={**SAME, "upgrade_mode": ""}, seen={"jobmanager_replaced": True}),
    case("and a job has left the list long ago", "KEEP", wanted={**SESSION, **NOWHERE},
         job={**SAME, **SUSPENDED, "upgrade_mode": ""}, record=SUSPENDED,
         seen={"status": "ABSENT", "jobmanager_replaced": True}, state="suspended"),
    case("and a job has finished", "KEEP", wanted={**SESSION, **NOWHERE}, job={**SAME, "upgrade_mode": ""},
         seen={"status": "FINISHED", "jobmanager_replaced": True}),
    refuse("another Flink cannot run on what high availability knows of a session", "leave Flink's version, state.backend",
           wanted={**HA, "type": "session", "flink_version": "2.3"}, seen={"status": "UNREACHABLE", "known_to_store": True}),
]  # fmt: skip

CLUSTER = jobmanager(type="session")
MINE = {"name": "mine"}

LOST_SESSIONS = [
    refuse(
        "a new job of a session in which one of its name runs",
        "Stop it with a savepoint (`flink stop`)",
        job=MINE,
        wanted=SESSION,
        record=NO_RECORD,
        seen={"status": "ABSENT", "jobmanager": CLUSTER, "others": ((OTHER, "mine"),)},
    ),
    case(
        "the record of a whole session release is gone, and the job was not in the list",
        "BEGIN",
        Source("install"),
        job=MINE,
        wanted=SESSION,
        record=NO_RECORD,
        seen={"status": "ABSENT", "jobmanager": replace(CLUSTER, jobs={"other": ""}), "record_is_gone": True},
    ),
    refuse(
        "the record of a whole session release is gone, and its JobManager does not answer",
        "Wait until the JobManager answers",
        job=MINE,
        wanted=SESSION,
        record=NO_RECORD,
        seen={"status": "UNREACHABLE", "jobmanager": replace(CLUSTER, jobs={"other": ""}), "record_is_gone": True},
    ),
    case(
        "a new job of a session whose others have records",
        "BEGIN",
        Source("install"),
        job=MINE,
        wanted=SESSION,
        record=NO_RECORD,
        seen={"status": "ABSENT", "jobmanager": CLUSTER},
    ),
    refuse(
        "the record of a whole session release is gone",
        "The record of the release is gone",
        job=MINE,
        wanted=SESSION,
        record=NO_RECORD,
        seen={"status": "ABSENT", "jobmanager": CLUSTER, "record_is_gone": True},
    ),
    case(
        "the record of a whole session release is gone, and the job runs under its name",
        "ADOPT",
        takes_over=OTHER,
        job=MINE,
        wanted=SESSION,
        record=NO_RECORD,
        seen={"status": "ABSENT", "jobmanager": CLUSTER, "record_is_gone": True, "others": ((OTHER, "mine"), (FORMER, "x"))},
    ),
    refuse(
        "the record of a whole session release is gone, and two jobs have its name",
        "A job of this name runs in the session",
        job=MINE,
        wanted=SESSION,
        record=NO_RECORD,
        seen={"status": "ABSENT", "jobmanager": CLUSTER, "record_is_gone": True, "others": ((OTHER, "mine"), (FORMER, "mine"))},
    ),
    case(
        "the record of a whole session release is gone, and a path is named",
        "BEGIN",
        Source("install", PATH),
        job={**MINE, **NAMED},
        wanted=SESSION,
        record=NO_RECORD,
        seen={"status": "ABSENT", "jobmanager": CLUSTER, "record_is_gone": True},
    ),
    case(
        "the first job of a session that was made a moment ago",
        "BEGIN",
        Source("install"),
        job=MINE,
        wanted=SESSION,
        record=NO_RECORD,
        seen={"status": "ABSENT", "jobmanager": jobmanager(type="session", is_new=True), "record_is_gone": True},
    ),
    case(
        "the first job of a session of an older chart, which made no record",
        "BEGIN",
        Source("install"),
        job=MINE,
        wanted=SESSION,
        record=NO_RECORD,
        seen={"status": "ABSENT", "jobmanager": jobmanager(type="session", has_record=False), "record_is_gone": True},
    ),
]

# `previous` is the state previous to a generation that starts from what the values named, or from nothing.
NEVER_PROVEN = [
    case(
        "a wrong job.fromSavepoint is taken back: the previous state",
        "BEGIN",
        Source("last-state", STOP_PATH),
        wanted=S3,
        record={**S3_RECORD, "confirmed": 0, "restore": PATH, "previous": STOP_PATH, "used": PATH},
        seen={"status": "ABSENT", "never_ran": True, "jobmanager": NEW_POD},
    ),
    case(
        "a wrong job.fromSavepoint is taken back, and Flink shows it as what the job that failed had restored",
        "BEGIN",
        Source("last-state", STOP_PATH),
        record={"confirmed": 0, "restore": PATH, "previous": STOP_PATH, "used": PATH},
        seen={"status": "FAILED", "checkpoints": checkpoints(PATH, restored=PATH)},
    ),
    case(
        "a job that was restarted from scratch by mistake resumes from its newest checkpoint",
        "BEGIN",
        Source("last-state", f"s3://b/checkpoints/{JOB}/chk-7", own=True),
        wanted=S3,
        record={**S3_RECORD, "confirmed": 0, "previous": f"s3://b/checkpoints/{JOB}/chk-7"},
        seen={"status": "ABSENT", "never_ran": True, "jobmanager": NEW_POD},
    ),
]

ALL = [
    *LOST_SESSIONS,
    *NEVER_PROVEN,
    *ALIVE,
    *RESCALED,
    *ROLLBACKS,
    *ENDED,
    *OUT_OF_SIGHT,
    *WITHOUT_HOOKS_MEANWHILE,
    *RESUMING,
    *WITHOUT_RECORD,
    *ARGO_CD,
    *MOVES,
    *BACKENDS,
    *SESSIONS,
]


@pytest.mark.parametrize(("given", "expected", "says"), ALL)
def test_plan(given: Any, expected: Any, says: str) -> None:
    coming, asked, written, there, rollback = given
    before = record(**written)
    decided = plan.plan(wanted(**coming), job(**asked), before, seen(**there), lenient=rollback)
    action, where, state, takes_over = expected
    assert (decided.action.name, decided.source, decided.job) == (action, where, takes_over), decided.why
    assert decided.state == (before.state if state is None else state)
    assert says in decided.why
    if action == "REFUSE":
        assert "Nothing was changed." in decided.why


def test_no_situation_is_in_the_table_twice() -> None:
    names = [row.id for row in ALL]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("rollback", [False, True])
@pytest.mark.parametrize("status", ["RUNNING", "UNHEALTHY", "FINISHED", "FAILED", "CANCELED", "ABSENT", "UNREACHABLE"])
@pytest.mark.parametrize("mode", ["savepoint", "last-state"])
@pytest.mark.parametrize("state", ["running", "suspended"])
def test_a_job_with_state_never_begins_from_nothing_that_nobody_asked_for(
    status: str, mode: str, state: str, rollback: bool
) -> None:
    """Whatever is seen of it, on the claim and on S3, with and without high availability; a finished job has no state to keep."""
    places: list[tuple[Any, dict[str, Any]]] = [(wanted(), {}), (wanted(**S3), S3_RECORD), (wanted(**S3, **HA), S3_RECORD)]
    for where, written in places:
        for specification in ("a", "b"):
            for known in (False, True):
                there = seen(status, known_to_store=known and status in ("ABSENT", "UNREACHABLE"))
                if status not in ("ABSENT", "UNREACHABLE"):
                    newest = f"{where.checkpoint_directory}/{JOB}/chk-7"
                    there = seen(status, checkpoints=checkpoints(newest))
                asked = job(upgrade_mode=mode, specification=specification, state=state)
                decided = plan.plan(where, asked, record(**written), there, lenient=rollback)
                if decided.source and status != "FINISHED":
                    source = decided.source
                    assert source.restore or source.former or source.same_job, (decided, specification, known)


def test_what_another_release_wrote_is_not_the_releases_own() -> None:
    """Flink may delete in time only what the record knows: not production's checkpoint from which staging starts."""
    assert plan.from_checkpoint(record(), CHECKPOINT).own
    assert plan.from_checkpoint(record(former=(FORMER,)), f"{CHECKPOINTS}/{FORMER}/chk-3").own
    assert plan.from_checkpoint(record(), f"{CHECKPOINTS}/{JOB[:16]}{'9' * 16}/chk-3").own
    assert not plan.from_checkpoint(record(), f"s3://production/checkpoints/{OTHER}/chk-3").own
    assert not plan.from_checkpoint(record(), STOP_PATH).own
    named = plan.plan(wanted(), job(from_savepoint=f"s3://production/checkpoints/{OTHER}/chk-3"), record(), seen())
    assert named.source
    assert not named.source.own


@pytest.mark.parametrize("status", ["RUNNING", "FAILED"])
def test_checkpoints_on_another_volume_than_savepoints_are_read_where_they_are(status: str) -> None:
    live = deployment()
    pod = live["spec"]["template"]["spec"]
    pod["volumes"].append({"name": "nfs", "nfs": {"server": "nas", "path": "/"}})
    pod["containers"][0]["volumeMounts"].append({"name": "nfs", "mountPath": "/nfs"})
    directories = {"checkpoint_directory": "file:///nfs/checkpoints", "claim_directory": ""}
    newest = f"file:/nfs/checkpoints/{JOB}/chk-7"
    there = seen(status, checkpoints=checkpoints(newest), jobmanager=jobmanager(volumes=observe.volumes(pod)))
    nfs = observe.volume_of(observe.volumes(pod), directories["checkpoint_directory"])
    before = record(checkpointDirectory=directories["checkpoint_directory"], checkpointVolume=nfs)
    decided = plan.plan(wanted(**directories, objects=[live]), job(**LAST_STATE), before, there)
    assert decided.action.name in ("CANCEL", "BEGIN"), decided.why
