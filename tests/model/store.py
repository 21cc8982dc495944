"""Files by path on claims and on S3; each state has the number of rows that it holds."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field

S3 = "s3"


@dataclass
class State:
    """A checkpoint or a savepoint."""

    rows: int
    written: float
    owner: str
    backend: str
    canonical: bool = False


Place = tuple[str, str]  # (volume, path in the pods)


def plain(uri: str) -> str:
    """file:/a, file:///a/ and /a/_metadata are one."""
    scheme, _, rest = uri.partition(":") if ":" in uri else ("file", "", uri)
    path = posixpath.normpath("/" + rest.strip("/"))
    path = path.removesuffix("/_metadata")
    return path if scheme == "file" else f"{S3}:{path}"


@dataclass
class Store:
    """`volumes`: S3, or the UID of a claim -> path -> what is there."""

    volumes: dict[str, dict[str, State]] = field(default_factory=lambda: {S3: {}})
    deleted: list[tuple[str, str, str]] = field(default_factory=list)  # (path, its owner, who deleted it)
    marks: set[Place] = field(default_factory=set)  # files without rows, such as results of jobs

    def place(self, uri: str, mounts: dict[str, str]) -> Place | None:
        """Where a URI leads in a pod; None if nowhere. S3 is among the mounts of a pod that has its plugin."""
        path = plain(uri)
        if path.startswith(f"{S3}:"):
            return (S3, path) if S3 in mounts else None
        for mount, volume in mounts.items():
            if f"{path}/".startswith(f"{mount}/") and volume in self.volumes:
                return volume, path
        return None

    def read(self, place: Place | None) -> State | None:
        return self.volumes.get(place[0], {}).get(place[1]) if place else None

    def write(self, place: Place, state: State) -> None:
        self.volumes[place[0]][place[1]] = state

    def delete(self, place: Place | None, by: str) -> None:
        state = self.volumes.get(place[0], {}).pop(place[1], None) if place else None
        if place and state:
            self.deleted.append((place[1], state.owner, by))

    def drop(self, volume: str) -> None:
        self.volumes.pop(volume, None)

    def below(self, volume: str, directory: str) -> Iterator[tuple[str, State]]:
        for path, state in self.volumes.get(volume, {}).items():
            if path.startswith(f"{directory}/"):
                yield path, state

    def rows(self, owner: str) -> int:
        """The maximum that any state of an owner holds; -1 if there is none."""
        return max((one.rows for files in self.volumes.values() for one in files.values() if one.owner == owner), default=-1)
