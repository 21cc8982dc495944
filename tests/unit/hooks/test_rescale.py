"""Another parallelism for a job that runs on, with the adaptive scheduler."""

from __future__ import annotations

import pytest

from tests.unit.hooks import build
from tests.unit.hooks.build import JOB
from tests.unit.hooks.conftest import World

FOUR = {"specification": "a", "parallelism": 4}


@pytest.fixture
def adaptive(world: World) -> World:
    """The job runs with a parallelism of 2, and a vertex of its own one; there are slots for more."""
    world.write(build.record(parallelism=2))
    world.flink.run_adaptive(JOB, {"map": 2, "sink": 3})
    world.flink.slots = 8
    return world


def test_the_job_runs_on(adaptive: World) -> None:
    before = adaptive.record
    adaptive("before", FOUR)
    assert adaptive.record == before
    assert not adaptive.flink.asked("/resource-requirements") > 1
    adaptive("after", FOUR)
    assert adaptive.flink.parallelism(JOB) == {"map": 4, "sink": 3}
    assert (adaptive.record.generation, adaptive.record.job) == (1, JOB)
    assert (adaptive.record.parallelism, adaptive.record.followers) == (4, ("map",))
    assert not adaptive.flink.asked("/stop")
    assert not [write for write in adaptive.kubernetes.writes if "configmaps" not in write]


def test_and_back_again_with_its_own_vertices_as_they_are(adaptive: World) -> None:
    for parallelism in (3, 4, 2):
        adaptive("before", {**FOUR, "parallelism": parallelism})
        adaptive("after", {**FOUR, "parallelism": parallelism})
        assert adaptive.flink.parallelism(JOB) == {"map": parallelism, "sink": 3}


@pytest.mark.parametrize("trouble", [503, "answer lost", "hangs up", "dies"])
def test_an_answer_that_fails_to_come(adaptive: World, trouble: str | int) -> None:
    once = [trouble]

    def breaks(method: str, path: str) -> None:
        if method == "PUT" and once:
            adaptive.flink.trouble = [once.pop()]

    adaptive.flink.before = breaks
    adaptive("after", FOUR)
    assert adaptive.flink.parallelism(JOB) == {"map": 4, "sink": 3}
    assert adaptive.record.followers == ("map",)


def test_one_that_was_interrupted_goes_on_when_it_is_repeated(adaptive: World) -> None:
    """What follows the job's parallelism is known before Flink hears of another one."""
    adaptive.write(build.record(parallelism=4, followers=("map",)))
    adaptive("before", {**FOUR, "parallelism": 3})
    adaptive("after", {**FOUR, "parallelism": 3})
    assert adaptive.flink.parallelism(JOB) == {"map": 3, "sink": 3}


def test_more_than_there_are_slots_for_is_taken_as_they_come(adaptive: World) -> None:
    adaptive.flink.slots = 3
    adaptive("after", FOUR)
    assert adaptive.flink.bounds[JOB]["map"]["parallelism"]["upperBound"] == 4
    assert adaptive.clock.now < 30


def refuse_each(adaptive: World, method: str) -> None:
    """Flink answers each such request with 400."""

    def refuses(asked: str, path: str) -> None:
        if asked == method:
            adaptive.flink.trouble = [400]

    adaptive.flink.before = refuses


def test_a_job_that_keeps_its_parallelism_although_it_has_the_slots(adaptive: World) -> None:
    refuse_each(adaptive, "POST")
    assert "it runs 2 tasks of map instead of 4" in adaptive.refused("after", FOUR)


def test_flink_says_no(adaptive: World) -> None:
    refuse_each(adaptive, "PUT")
    assert "its parallelism could not be changed" in adaptive.refused("after", FOUR)


def test_refused_before_anything_is_changed(adaptive: World) -> None:
    unchanged = adaptive.untouched()
    adaptive.flink.run_adaptive(JOB, {"map": 2}, maximum=3)
    assert "Nothing was changed. Write at most 3" in adaptive.refused("before", FOUR)
    assert unchanged()


def test_a_new_generation_starts_with_it(adaptive: World) -> None:
    adaptive.write(build.record(parallelism=2, followers=("map",)))
    adaptive("before", {"parallelism": 4})
    assert (adaptive.record.generation, adaptive.record.parallelism, adaptive.record.followers) == (2, 4, ())


def test_a_job_whose_record_is_gone_is_taken_over_with_its_own(adaptive: World) -> None:
    adaptive.kubernetes.config_maps.clear()
    adaptive.rolled_out("r-jobmanager", specification="a", template="t1", parallelism="2")
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:09Z"}
    adaptive.kubernetes.pods = [build.pod(startTime="2026-01-01T00:00:00Z", conditions=[ready])]
    adaptive("before", FOUR)
    adaptive("after", FOUR)
    assert adaptive.flink.parallelism(JOB) == {"map": 4, "sink": 3}
    assert adaptive.flink.jobs[JOB]["state"] == "RUNNING"


def test_of_other_schedulers_nothing_is_asked(world: World) -> None:
    world("before", {"specification": "a"})
    world("after", {"specification": "a"})
    assert not world.flink.asked("/resource-requirements")
