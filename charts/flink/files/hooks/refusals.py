"""Messages of refusals: what is wrong, and what to do."""

from __future__ import annotations

from typing import List, Tuple


def text(what: str, remedy: str, *, session: bool = False) -> str:
    message = f"{what} Nothing was changed. {remedy}"
    for of_a_job, of_a_session in _IN_A_SESSION if session else ():
        message = message.replace(of_a_job, of_a_session)
    return message


# Values of a job release that session.jobs names otherwise, or does not have. Longer phrases come first.
_IN_A_SESSION = (
    ("restart the job from scratch with job.upgradeMode=stateless", "give the job another name to restart it from scratch"),
    ("restart it from scratch with job.upgradeMode=stateless", "give the job another name to restart it from scratch"),
    (
        ", or say job.upgradeMode=stateless",
        ", or take the job out of session.jobs in an upgrade before this one: under another name it restarts from scratch",
    ),
    (", change it with job.upgradeMode=savepoint", ""),
    (", or job.upgradeMode=last-state or stateless", ""),
    ("Use job.upgradeMode=savepoint, or set", "Set"),
    ("Set job.state=suspended first", "Take the job out of session.jobs first"),
    ("job.fromSavepoint", "fromSavepoint"),
)


def renamed(old: str, new: str) -> Tuple[str, str]:
    return (
        f"The release's JobManager is the Deployment {old}, and this revision calls it {new}: its jobs would be killed, and "
        "others would start without their state.",
        "Leave nameOverride and fullnameOverride as they were; to move a job to another name, see docs/upgrade.md.",
    )


def claim_goes(claim: str) -> Tuple[str, str]:
    return (
        f"PVC {claim} leaves the release with this revision, and would be deleted with all its files.",
        "Upgrade once with the previous values and storage.keep=true; then this one leaves it alone.",
    )


def claim_is_deleted(claim: str) -> Tuple[str, str]:
    return (
        f"PVC {claim} is being deleted, and goes with all its files when the last pod that mounts it ends.",
        "While the pods live, copy a savepoint of the job to another PVC, and name both with storage.existingClaim and "
        "job.fromSavepoint.",
    )


def stored(jobs: Tuple[str, ...], example: str) -> Tuple[str, str]:
    return (
        f"The release has no record, and high availability knows jobs of a release of this name: {', '.join(jobs)}.",
        f"Name the newest state with job.fromSavepoint={example}, or restart the job from scratch with "
        "job.upgradeMode=stateless.",
    )


def two_jobmanagers(names: List[str], *, runs: bool) -> Tuple[str, str]:
    """`names`: Deployments, that of this revision first; `runs`: whether it has the job."""
    old = names[-1] if runs else names[0]
    return (
        f"The Deployments {names[0]} and {names[-1]} are both there, one for each flink.mode, and which of them answers is "
        "chance.",
        f"`kubectl delete deployment {old}`, in which the job does not run any more, and run the same command again.",
    )


def bounded_runs(pod: str) -> Tuple[str, str]:
    return (
        f"A bounded job of this release runs (pod {pod}), and this revision would start another one.",
        "Wait for its end, or `helm uninstall` first.",
    )
