"""Draws the pictures of the documentation: `python3 docs/pictures/draw.py` writes the SVG files beside it."""

from __future__ import annotations

from html import escape
from pathlib import Path

HERE = Path(__file__).parent
INK, SOFT = "#22303c", "#5d6d7b"
# Fill and border of what a box is.
HELM, FLINK, STATE, DATA, PLAIN = (
    ("#e3ecfb", "#3b6fc4"),
    ("#fbe6ef", "#c2477f"),
    ("#fdf1d8", "#b98319"),
    ("#e2f3e8", "#3b8d5a"),
    ("#f4f6f8", "#8896a3"),
)


class Picture:
    """A drawing in pixels, on white so that it can be read in a dark page too."""

    def __init__(self, width: int, height: int, title: str) -> None:
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img"'
            f' font-family="Helvetica, Arial, sans-serif" font-size="13"><title>{escape(title)}</title>',
            '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8"'
            ' orient="auto-start-reverse">'
            f'<path d="M0 0L8 4L0 8z" fill="{SOFT}"/></marker></defs>',
            f'<rect width="{width}" height="{height}" rx="8" fill="#ffffff"/>',
        ]

    def text(self, x: float, y: float, text: str, *, bold: bool = False, soft: bool = False, anchor: str = "middle") -> None:
        weight = ' font-weight="bold"' if bold else ""
        self._parts.append(
            f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{weight} fill="{SOFT if soft else INK}">{escape(text)}</text>'
        )

    def box(
        self, x: float, y: float, width: float, height: float, title: str, *lines: str, kind: tuple[str, str] = PLAIN
    ) -> None:
        fill, border = kind
        self._parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" fill="{fill}" stroke="{border}" stroke-width="1.5"/>'
        )
        top = y + height / 2 + 5 - 8.5 * len(lines)
        for number, line in enumerate((title, *lines)):
            self.text(x + width / 2, top + 17 * number, line, bold=number == 0)

    def frame(self, x: float, y: float, width: float, height: float, title: str, *, below: bool = False) -> None:
        self._parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="none" stroke="{SOFT}" stroke-dasharray="5 4"/>'
        )
        self.text(x + 12, y + (height - 10 if below else 20), title, soft=True, anchor="start")

    def arrow(
        self, x1: float, y1: float, x2: float, y2: float, label: str = "", *, dashed: bool = False, both: bool = False
    ) -> None:
        """`label` stands above a level arrow, and to the right of another one."""
        dash = ' stroke-dasharray="4 4"' if dashed else ""
        start = ' marker-start="url(#head)"' if both else ""
        self._parts.append(
            f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{SOFT}" stroke-width="1.5"{dash}{start}'
            ' marker-end="url(#head)"/>'
        )
        if label and y1 == y2:
            self.text((x1 + x2) / 2, y1 - 6, label, soft=True)
        elif label:
            self.text((x1 + x2) / 2 + 8, (y1 + y2) / 2 + 5, label, soft=True, anchor="start")

    def path(self, way: str, *, dashed: bool = False) -> None:
        """A line with corners, in SVG's words."""
        dash = ' stroke-dasharray="4 4"' if dashed else ""
        self._parts.append(f'<path d="{way}" fill="none" stroke="{SOFT}" stroke-width="1.5"{dash} marker-end="url(#head)"/>')

    def line(self, x1: float, y1: float, x2: float, y2: float) -> None:
        self._parts.append(f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{SOFT}" stroke-dasharray="3 5"/>')

    def save(self, name: str) -> None:
        (HERE / name).write_text("\n".join([*self._parts, "</svg>"]) + "\n")


def overview() -> None:
    picture = Picture(880, 456, "Helm above the pods of a release, the state below them, and the data that passes through")
    picture.box(300, 18, 280, 60, "Helm", "install, upgrade, rollback, uninstall", kind=HELM)
    picture.frame(180, 122, 520, 212, "one release, one namespace", below=True)
    picture.arrow(360, 78, 300, 150)
    picture.arrow(560, 78, 580, 150)
    picture.text(330, 106, "hooks", soft=True, anchor="end")
    picture.text(578, 106, "objects", soft=True, anchor="start")
    picture.box(200, 150, 190, 54, "hooks", "Jobs before and after", kind=HELM)
    picture.box(200, 246, 190, 54, "record", "ConfigMap of the hooks", kind=STATE)
    picture.arrow(295, 204, 295, 246, "write")
    picture.box(466, 150, 214, 54, "JobManager", "starts where the record says", kind=FLINK)
    picture.box(466, 246, 214, 54, "TaskManagers", "run the tasks of the job", kind=FLINK)
    picture.arrow(390, 177, 466, 177, "stop")
    picture.arrow(390, 262, 472, 204, "resume")
    picture.arrow(573, 204, 573, 246, both=True)
    picture.box(18, 246, 124, 54, "Kafka", "adverts as JSON", kind=DATA)
    picture.box(738, 246, 124, 54, "CSV files", "rows with KDV", kind=DATA)
    picture.arrow(680, 273, 738, 273)
    picture.path("M80 300V356H500V300")
    picture.text(290, 350, "each record exactly once", soft=True)
    picture.box(440, 384, 266, 56, "state: a PVC or an object store", "checkpoints, savepoints", kind=STATE)
    picture.arrow(573, 300, 573, 384, both=True)
    picture.save("overview.svg")


def objects() -> None:
    picture = Picture(880, 520, "The objects of a job release called my")
    picture.frame(16, 16, 410, 488, "the manifest, which Helm applies and removes")
    picture.box(36, 54, 370, 56, "Deployment my-flink-jobmanager", "one pod: start-job.sh, then Flink", kind=FLINK)
    picture.box(36, 122, 370, 56, "Deployment my-flink-taskmanager", "taskmanager.replicas pods", kind=FLINK)
    picture.box(36, 190, 370, 56, "Services my-flink-rest, my-flink-jobmanager", "REST and UI; RPC and blobs")
    picture.box(36, 258, 370, 56, "ConfigMaps my-flink-config, my-flink-scripts", "Flink's options; start-job.sh and probes")
    picture.box(36, 326, 370, 56, "PVC my-flink-data", "checkpoints, savepoints, files of jobs", kind=STATE)
    picture.box(
        36,
        394,
        370,
        94,
        "CronJob my-flink-savepoint",
        "savepoints on demand and on a schedule,",
        "with an account, a Role and a ConfigMap",
    )
    picture.frame(460, 16, 404, 300, "the hooks, which Helm makes for an operation")
    picture.box(480, 54, 364, 56, "Jobs my-flink-before, my-flink-after", "install and upgrade", kind=HELM)
    picture.box(480, 122, 364, 56, "Jobs -before-rollback, -after-rollback", "the same for a rollback", kind=HELM)
    picture.box(480, 190, 364, 56, "Job -after-uninstall", "-before-uninstall too, if a savepoint is asked for", kind=HELM)
    picture.box(480, 258, 364, 44, "accounts, Roles, ConfigMap my-flink-hooks", kind=HELM)
    picture.frame(460, 344, 404, 160, "in no manifest")
    record = (
        "written by the hooks, read by start-job.sh:",
        "generation, Flink's id of the job,",
        "specification, state to resume from",
    )
    picture.box(480, 382, 364, 108, "ConfigMap my-flink-record", *record, kind=STATE)
    picture.arrow(662, 316, 662, 382, "write")
    picture.path("M480 436H442V82H406", dashed=True)
    picture.save("objects.svg")


def upgrade() -> None:
    lanes = {"you": 60, "Helm": 190, "hook": 340, "record": 490, "Flink": 640, "new Flink": 800}
    picture = Picture(880, 560, "An upgrade with a savepoint, step by step")
    kinds = {"you": PLAIN, "record": STATE, "Flink": FLINK, "new Flink": FLINK}
    for name, x in lanes.items():
        picture.box(x - 52, 14, 104, 34, name, kind=kinds.get(name, HELM))
        picture.line(x, 48, x, 546)
    steps = [
        ("you", "Helm", "helm upgrade", False),
        ("Helm", "hook", "run before", False),
        ("hook", "Flink", "is the job running, and where?", False),
        ("hook", "record", "pending: a stop", False),
        ("hook", "Flink", "stop with a savepoint", False),
        ("Flink", "hook", "finished, path of the savepoint", True),
        ("hook", "record", "generation 2", False),
        ("hook", "Helm", "done", True),
        ("Helm", "new Flink", "change the Deployments: the new pod starts", False),
        ("new Flink", "record", "where do I start?", False),
        ("Helm", "hook", "run after", False),
        ("hook", "new Flink", "does it run from that savepoint?", False),
        ("hook", "record", "confirmed: 2", False),
        ("hook", "Helm", "done", True),
        ("Helm", "you", "deployed", True),
    ]
    for number, (source, target, label, answer) in enumerate(steps):
        y = 80 + 32 * number
        picture.arrow(lanes[source], y, lanes[target], y, label, dashed=answer)
    picture.save("upgrade.svg")


def row() -> None:
    picture = Picture(980, 300, "The way of a row through the KDV job")
    picture.box(16, 46, 122, 60, "producer", "adverts as JSON", kind=DATA)
    picture.box(170, 46, 110, 60, "topic", "sahibinden", kind=DATA)
    picture.frame(304, 14, 508, 106, "the KDV job")
    picture.box(318, 46, 152, 60, "reader", "checked-json decodes", kind=FLINK)
    picture.box(510, 46, 130, 60, "windows", "2 min, by id", kind=FLINK)
    picture.box(680, 46, 120, 60, "CSV writer", kind=FLINK)
    picture.box(842, 46, 122, 60, "CSV files", "rows with KDV", kind=DATA)
    for left, right in ((138, 170), (280, 318), (470, 510), (640, 680), (800, 842)):
        picture.arrow(left, 76, right, 76)
    picture.box(304, 168, 180, 54, "topic <group>-dead", "what is broken, and why", kind=DATA)
    picture.box(500, 168, 150, 54, "topic <group>-late", "what came too late", kind=DATA)
    picture.arrow(394, 106, 394, 168, "broken")
    picture.arrow(575, 106, 575, 168, "late")
    picture.box(170, 244, 794, 42, "one checkpoint commits offsets, rows, dead letters and late records together", kind=STATE)
    picture.save("row.svg")


def icon() -> None:
    """A helm wheel whose rim is a stream: what charts show beside their names."""
    spokes = "".join(f'<path d="M32 32V4" transform="rotate({angle} 32 32)"/>' for angle in range(0, 360, 45))
    (HERE / "icon.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" width="64" height="64" role="img"'
        ' fill="none" stroke-width="4" stroke-linecap="round"><title>Flink with Helm</title>'
        f'<g stroke="{HELM[1]}">{spokes}</g><circle cx="32" cy="32" r="18" stroke="{FLINK[1]}"/>'
        f'<circle cx="32" cy="32" r="6" fill="{FLINK[0]}" stroke="{FLINK[1]}"/></svg>\n'
    )


if __name__ == "__main__":
    for draw in (overview, objects, upgrade, row, icon):
        draw()
