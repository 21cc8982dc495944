"""The steps of a random walk through the life of a release: a pure function of the seed, so that a seed replays the same list."""

from __future__ import annotations

import enum
import random
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace


class Kind(enum.Enum):
    ARGUMENT = "upgrade: another argument of the job"
    IMAGE = "upgrade: another tag of the image"
    PARALLELISM = "upgrade: another parallelism"
    LAST_STATE = "upgrade: another argument, by upgradeMode last-state"
    LABELS = "upgrade: labels only"
    TASKMANAGER = "upgrade: TaskManagers only"
    TEMPLATE = "upgrade: the JobManager's pod only"
    USED_PATH = "upgrade: another argument, and job.fromSavepoint of a path used before"
    SUSPEND = "upgrade: suspended"
    RESUME = "upgrade: resumed"
    RESUME_NAMED = "upgrade: resumed, and job.fromSavepoint of its last savepoint, which becomes a path used before"
    ROLLBACK = "rollback"
    SAVEPOINT = "savepoint by hand"
    REFUSED_LABEL = "refused upgrade: a label with a space"
    REFUSED_CLAIM = "refused upgrade: another claim"
    KILLED_ROLLED_BACK = "helm upgrade killed, then rolled back"
    KILLED_REPEATED = "helm upgrade killed, then repeated"
    HOOK_DELETED = "upgrade whose hook's pod is deleted"
    JOBMANAGER_KILLED = "kill the JobManager"
    TASKMANAGER_KILLED = "kill the TaskManager"
    PODS_DELETED = "delete the pods of Flink"
    CANCELLED = "cancel the job over REST, then upgrade"


REFUSED = {Kind.REFUSED_LABEL, Kind.REFUSED_CLAIM}
# What happens to a release from outside: no revision comes of it.
EVENTS = {Kind.SAVEPOINT, Kind.JOBMANAGER_KILLED, Kind.TASKMANAGER_KILLED, Kind.PODS_DELETED}
# After these the same job runs, never restored.
UNTOUCHED = {Kind.LABELS, Kind.SAVEPOINT} | REFUSED
# While the job runs, each of these comes once before any comes again: short walks see much.
WHILE_RUNNING = [kind for kind in Kind if kind not in (Kind.RESUME, Kind.RESUME_NAMED)]
WHILE_SUSPENDED = [*[Kind.RESUME, Kind.RESUME_NAMED] * 3, Kind.ARGUMENT, Kind.LABELS, Kind.ROLLBACK, Kind.REFUSED_LABEL]
INTERRUPTED = [Kind.ARGUMENT, Kind.IMAGE, Kind.PARALLELISM, Kind.LAST_STATE, Kind.SUSPEND]

INTERVALS = (2, 3, 4, 5)
LONGEST_PAUSE = 30.0  # about as long as an upgrade takes, so that it is cut at each of its steps
HOOKS = {"before": 6.0, "after": 15.0}  # and how long their pods may live until they are deleted
REVISIONS_BACK = 4


@dataclass(frozen=True)
class Settings:
    """What is asked of the release; labels and templates are numbers that only have to differ."""

    checkpoint_interval: int = 2
    image_suffix: str = ""
    parallelism: int = 1
    upgrade_mode: str = "savepoint"
    state: str = "running"
    path: int = 0  # which of the paths that the walk has named job.fromSavepoint holds; 0: none
    label: int = 0
    taskmanager: int = 0
    template: int = 0

    @property
    def running(self) -> bool:
        return self.state == "running"

    def changes(self, other: Settings) -> str:
        """What is different in `other`, for people."""
        pairs = ((field.name, getattr(self, field.name), getattr(other, field.name)) for field in fields(self))
        return ", ".join(f"{name} {old or '-'} -> {new or '-'}" for name, old, new in pairs if old != new) or "no change"


@dataclass(frozen=True)
class Step:
    number: int
    kind: Kind
    before: Settings
    asked: Settings
    after: Settings
    back: int = 0  # of a rollback: which of the revisions that the walk has made, from 0
    hook: str = ""  # whose pod is deleted
    pause: float = 0.0  # seconds until helm is killed or the pod deleted

    @property
    def makes_revision(self) -> bool:
        return self.kind not in EVENTS | REFUSED

    def __str__(self) -> str:
        parts = [f"step {self.number}, {self.kind.value}"]
        if self.asked != self.before or self.makes_revision:
            parts.append(self.before.changes(self.asked))
        if self.kind is Kind.ROLLBACK:
            parts.append(f"to the walk's revision {self.back}")
        if self.pause:
            parts.append(f"{self.hook or 'helm'} after {self.pause:.1f} s")
        return "; ".join(parts)


def walk(seed: int) -> Iterator[Step]:
    """Steps without end."""
    chance = random.Random(seed)
    now, made, paths, bag = Settings(), [Settings()], 0, list[Kind]()
    for number in range(1, 1_000_000):
        if now.running:
            bag = bag or chance.sample(WHILE_RUNNING, len(WHILE_RUNNING))
            kind = bag.pop()
        else:
            kind = chance.choice(WHILE_SUSPENDED)
        if (kind is Kind.ROLLBACK and len(made) < 2) or (kind is Kind.USED_PATH and not paths):
            kind = Kind.ARGUMENT
        if kind is Kind.RESUME_NAMED:
            paths += 1
        step = _step(number, kind, now, made, paths, chance)
        yield step
        now = step.after
        if step.makes_revision:
            made.append(now)


def _step(number: int, kind: Kind, now: Settings, made: list[Settings], paths: int, chance: random.Random) -> Step:
    if kind is Kind.ROLLBACK:
        back = chance.randrange(max(0, len(made) - REVISIONS_BACK), len(made) - 1)
        return Step(number, kind, now, made[back], made[back], back=back)
    if kind in EVENTS:
        return Step(number, kind, now, now, now)
    if kind in REFUSED:
        return Step(number, kind, now, _upgraded(number, Kind.ARGUMENT, now, paths, chance), now)
    if kind is Kind.CANCELLED:
        asked = chance.choice([now, _upgraded(number, Kind.ARGUMENT, now, paths, chance)])
        return Step(number, kind, now, asked, asked)
    if kind in (Kind.KILLED_ROLLED_BACK, Kind.KILLED_REPEATED):
        asked = _upgraded(number, chance.choice(INTERRUPTED), now, paths, chance)
        after = asked if kind is Kind.KILLED_REPEATED else now
        return Step(number, kind, now, asked, after, pause=chance.uniform(0.1, LONGEST_PAUSE))
    asked = _upgraded(number, chance.choice(INTERRUPTED) if kind is Kind.HOOK_DELETED else kind, now, paths, chance)
    if kind is Kind.HOOK_DELETED:
        hook = chance.choice(list(HOOKS))
        return Step(number, kind, now, asked, asked, hook=hook, pause=chance.uniform(0.1, HOOKS[hook]))
    return Step(number, kind, now, asked, asked)


def _upgraded(number: int, kind: Kind, now: Settings, paths: int, chance: random.Random) -> Settings:
    """What an upgrade of this kind asks for."""
    plain = replace(now, upgrade_mode="savepoint")
    another = chance.choice([seconds for seconds in INTERVALS if seconds != now.checkpoint_interval])
    return {
        Kind.ARGUMENT: replace(plain, checkpoint_interval=another),
        Kind.IMAGE: replace(plain, image_suffix="" if now.image_suffix else "-s3"),
        Kind.PARALLELISM: replace(plain, parallelism=3 - now.parallelism),
        Kind.LAST_STATE: replace(plain, checkpoint_interval=another, upgrade_mode="last-state"),
        Kind.LABELS: replace(plain, label=number),
        Kind.TASKMANAGER: replace(plain, taskmanager=number),
        Kind.TEMPLATE: replace(plain, template=number),
        Kind.USED_PATH: replace(plain, checkpoint_interval=another, path=chance.randint(min(1, paths), paths)),
        Kind.SUSPEND: replace(plain, state="suspended"),
        Kind.RESUME: replace(plain, state="running"),
        Kind.RESUME_NAMED: replace(plain, state="running", path=paths),
    }[kind]
