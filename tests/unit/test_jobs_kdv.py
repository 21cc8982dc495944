"""The KDV job's arguments and statements; what they compute is shown by the cluster tests."""

from __future__ import annotations

import re

import pytest

from jobs.kdv import kdv


def options(statement: str) -> dict[str, str]:
    """The options in the WITH part of a CREATE TABLE."""
    return dict(re.findall(r"'([^']+)' = '((?:[^']|'')*)'", statement.split("WITH")[1]))


def test_defaults() -> None:
    args = kdv.parse_args([])
    source, sink, settings = options(kdv.source_table(args)), options(kdv.sink_table(args)), kdv.configuration(args)
    assert source["topic"] == "sahibinden"
    assert source["properties.group.id"] == "flink-group-sahibinden"
    assert source["scan.startup.mode"] == "earliest-offset"
    assert "timestamp_column - INTERVAL '0 00:00:05.000' DAY(3) TO SECOND(3)" in kdv.source_table(args)
    assert "INTERVAL '0 00:02:00.000' DAY(3) TO SECOND(3)" in kdv.insert_statement(args)
    assert sink["path"] == "file:///flink-data/output"
    assert settings["pipeline.name"] == "kdv"
    assert settings["execution.checkpointing.mode"] == "EXACTLY_ONCE"


def test_every_argument_arrives() -> None:
    args = kdv.parse_args(
        [
            "--bootstrap-servers=a:1,b:2",
            "--topic=t",
            "--group=g",
            "--output=s3://bucket/x",
            "--window=1 h",
            "--watermark-delay=250 ms",
            "--idle-timeout=1 min",
            "--checkpoint-interval=3s",
            "--rolling-size=10 kb",
            "--rolling-interval=2 d",
        ]
    )
    source, sink, settings = options(kdv.source_table(args)), options(kdv.sink_table(args)), kdv.configuration(args)
    assert source["properties.bootstrap.servers"] == "a:1,b:2"
    assert (source["topic"], source["properties.group.id"]) == ("t", "g")
    assert "INTERVAL '0 00:00:00.250' DAY" in kdv.source_table(args)
    assert "INTERVAL '0 01:00:00.000' DAY" in kdv.insert_statement(args)
    assert sink["path"] == "s3://bucket/x"
    assert sink["sink.rolling-policy.file-size"] == "10 kb"
    assert sink["sink.rolling-policy.rollover-interval"] == "172800000 ms"
    assert settings["table.exec.source.idle-timeout"] == "60000 ms"
    assert settings["execution.checkpointing.interval"] == "3000 ms"


def test_the_cluster_owns_parallelism_and_the_place_of_state() -> None:
    owned = [key for key in kdv.configuration(kdv.parse_args([])) if "parallelism" in key or ".dir" in key or "storage" in key]
    assert owned == []


def test_the_time_zone_of_the_pod_does_not_matter() -> None:
    assert kdv.configuration(kdv.parse_args([]))["table.local-time-zone"] == "UTC"


def test_columns_stand_in_their_order() -> None:
    sink = kdv.sink_table(kdv.parse_args([]))
    assert re.findall(r"^ {4}(\w+) (?:BIGINT|STRING)", sink, re.MULTILINE) == list(kdv.OUTPUT_COLUMNS)


def test_money_is_no_floating_point_number() -> None:
    source = kdv.source_table(kdv.parse_args([]))
    assert re.findall(r"^ {4}(price|kdv) (\w+)", source, re.MULTILINE) == [("price", "DECIMAL"), ("kdv", "DECIMAL")]


def test_an_argument_cannot_end_its_sql_string() -> None:
    args = kdv.parse_args(["--topic=it's", "--output=file:///a', 'b' = 'c"])
    assert options(kdv.source_table(args))["topic"] == "it''s"
    assert options(kdv.sink_table(args))["path"] == "file:///a'', ''b'' = ''c"


@pytest.mark.parametrize(
    ("text", "expected"), [("2 min", 120_000), ("5s", 5000), ("500 ms", 500), ("1 h", 3_600_000), ("1 d", 86_400_000), ("0 s", 0)]
)
def test_durations(text: str, expected: int) -> None:
    assert kdv.milliseconds(text) == expected


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("--window=two minutes", "is not a duration: write a whole number and one of"),
        ("--window=0 min", "must be longer than zero"),
        ("--window=2", "is not a duration"),
        ("--window=1000 d", "is longer than 999 days"),
        ("--checkpoint-interval=0 s", "must be longer than zero"),
        ("--watermark-delay=-5 s", "is not a duration"),
        ("--rolling-size=big", "is not a size: write a whole number and one of"),
        ("--rolling-size=0 mb", "is not a size"),
    ],
)
def test_wrong_arguments_are_refused_with_a_sentence(argument: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        kdv.parse_args([argument])
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err
