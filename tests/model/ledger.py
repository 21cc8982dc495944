"""What each job has completed, and what it may start from."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Life:
    """Of a job through its generations. `allowed`: rows that the operation of the moment names besides the newest state."""

    completed: int = 0
    allowed: set[int] = field(default_factory=set)
    over: bool = False  # it finished by itself: a new one starts from scratch
    unsure: str = ""  # why the model does not judge its next start


@dataclass
class Ledger:
    lives: dict[str, Life] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def life(self, job: str) -> Life:
        return self.lives.setdefault(job, Life())

    def completed(self, job: str, rows: int) -> None:
        life = self.life(job)
        life.completed = max(life.completed, rows)

    def starts(self, job: str, rows: int, source: str, *, in_vain: bool = False) -> None:
        """`in_vain`: its tasks cannot read the state, so that what it completed before is still the newest."""
        life = self.life(job)
        good = rows >= life.completed or rows in life.allowed or life.over or life.unsure
        if not good:
            self.faults.append(f"{job} starts from {rows} rows ({source or 'nothing'}), though it had completed {life.completed}")
        if not in_vain:
            self.lives[job] = Life(completed=rows, allowed=life.allowed)

    def fault(self, text: str) -> None:
        if text not in self.faults:
            self.faults.append(text)
