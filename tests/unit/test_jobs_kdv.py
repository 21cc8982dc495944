"""The KDV job's arguments and statements; what they compute is shown by tests/local and tests/kind."""

from __future__ import annotations

import re

import pytest

from jobs.kdv import kdv

REJECTS = ["dead_letters", "late_records"]


def options(statement: str) -> dict[str, str]:
    """The options in the WITH part of a CREATE TABLE."""
    return dict(re.findall(r"'([^']+)' = '((?:[^']|'')*)'", statement.split("WITH")[1]))


def job(*words: str, **properties: str) -> tuple[dict[str, str], dict[str, str], str]:
    """{table or view: its statement}, Flink's options, and the statements that fill tables, for these arguments."""
    args = kdv.parse_args(words)
    tables, inserts = kdv.statements(args, {name.replace("_", "."): value for name, value in properties.items()})
    found = {re.search(r"(?:TABLE|VIEW) (\w+)", table)[1]: table for table in tables}  # type: ignore[index]
    return found, kdv.configuration(args), "\n".join(inserts)


def test_defaults() -> None:
    tables, settings, _ = job()
    source, csv = options(tables["adverts"]), options(tables["adverts_with_kdv"])
    assert source["topic"] == "sahibinden"
    assert source["properties.group.id"] == "flink-group-sahibinden"
    assert source["scan.startup.mode"] == "earliest-offset"
    assert "scan.bounded.mode" not in source
    assert source["format"] == "checked-json"
    assert source["properties.isolation.level"] == "read_committed"
    assert "event_time - INTERVAL '0 00:00:05.000' DAY(3) TO SECOND(3)" in tables["adverts"]
    assert "LOCALTIMESTAMP + INTERVAL '0 01:00:00.000' DAY(3) TO SECOND(3)" in tables["adverts"]
    assert csv["path"] == "file:///flink-data/output"
    assert {name: options(tables[name])["topic"] for name in REJECTS} == {
        "dead_letters": "sahibinden-dead",
        "late_records": "sahibinden-late",
    }
    assert {options(tables[name])["properties.transaction.timeout.ms"] for name in REJECTS} == {"900000"}
    assert {options(tables[name])["sink.delivery-guarantee"] for name in REJECTS} == {"exactly-once"}
    assert settings["pipeline.name"] == "kdv"
    assert settings["execution.checkpointing.mode"] == "EXACTLY_ONCE"


def test_every_argument_arrives() -> None:
    tables, settings, _ = job(
        "--bootstrap-servers=a:1,b:2",
        "--topic=t",
        "--group=g",
        "--bounded",
        "--partition-discovery=3 s",
        "--timestamp-format=ISO-8601",
        "--max-record-size=2 mb",
        "--dead-letters=file:///dead",
        "--late-records=l",
        "--max-future=3 h",
        "--transaction-timeout=1 h",
        "--window=1 h",
        "--watermark-delay=250 ms",
        "--idle-timeout=1 min",
        "--buckets=7",
        "--output=s3://bucket/x",
        "--checkpoint-interval=3s",
        "--rolling-size=10 kb",
        "--rolling-interval=2 d",
        "--compact=1 gb",
        "--sink-parallelism=3",
    )
    source, csv = options(tables["adverts"]), options(tables["adverts_with_kdv"])
    assert source["properties.bootstrap.servers"] == "a:1,b:2"
    assert (source["topic"], source["properties.group.id"]) == ("t", "g")
    assert source["scan.bounded.mode"] == "latest-offset"
    assert source["scan.topic-partition-discovery.interval"] == "3000 ms"
    assert source["checked-json.timestamp-format.standard"] == "ISO-8601"
    assert source["checked-json.max-length"] == "2 mb"
    assert options(tables["dead_letters"])["path"] == "file:///dead"
    late = options(tables["late_records"])
    assert (late["topic"], late["sink.transactional-id-prefix"]) == ("l", "g-late_records")
    assert late["properties.transaction.timeout.ms"] == "3600000"
    assert "INTERVAL '0 00:00:00.250' DAY" in tables["adverts"]
    assert "INTERVAL '0 03:00:00.000' DAY" in tables["adverts"]
    assert "MOD(id, 7)" in tables["judged"]
    assert csv["path"] == "s3://bucket/x"
    assert csv["sink.rolling-policy.file-size"] == "10 kb"
    assert csv["sink.rolling-policy.rollover-interval"] == "172800000 ms"
    assert (csv["auto-compaction"], csv["compaction.file-size"]) == ("true", "1 gb")
    assert csv["sink.parallelism"] == "3"
    assert settings["table.exec.source.idle-timeout"] == "60000 ms"
    assert settings["execution.checkpointing.interval"] == "3000 ms"


@pytest.mark.parametrize(
    ("words", "connectors"),
    [
        ([], ["kafka", "kafka"]),
        (["--on-error=skip"], ["blackhole", "kafka"]),
        (["--on-error=fail"], ["blackhole", "kafka"]),
        (["--dead-letters=file:///d", "--late-records="], ["filesystem", "blackhole"]),
    ],
)
def test_what_becomes_of_rejects(words: list[str], connectors: list[str]) -> None:
    tables, _, _ = job(*words)
    assert [options(tables[name])["connector"] for name in REJECTS] == connectors


def test_properties_of_kafka_reach_every_client_and_arguments_win() -> None:
    tables, _, _ = job("--group=g", security_protocol="SASL_SSL", group_id="other", isolation_level="read_uncommitted")
    for name in ("adverts", *REJECTS):
        assert options(tables[name])["properties.security.protocol"] == "SASL_SSL"
    source = options(tables["adverts"])
    assert (source["properties.group.id"], source["properties.isolation.level"]) == ("g", "read_committed")


def test_a_savepoint_fits_whether_future_records_are_taken_or_not() -> None:
    """The planner numbers operators by the form of the statements."""
    forms = [job(f"--max-future={value}")[0]["adverts"] for value in ("off", "1 h")]
    assert len({re.sub(r"\+ INTERVAL '[^']*' \w+\(\d\)( TO SECOND\(3\))?", "+ INTERVAL", form) for form in forms}) == 1


def test_the_format_of_flink_itself() -> None:
    tables, _, _ = job("--format=json", "--on-error=skip")
    source = options(tables["adverts"])
    assert (source["format"], source["json.ignore-parse-errors"]) == ("json", "true")
    assert not [key for key in source if key.startswith("checked-json")]


def test_the_cluster_owns_parallelism_and_the_place_of_state() -> None:
    owned = [key for key in kdv.configuration(kdv.parse_args([])) if "parallelism" in key or ".dir" in key or "storage" in key]
    assert owned == []


def test_the_time_zone_of_the_pod_does_not_matter() -> None:
    assert kdv.configuration(kdv.parse_args([]))["table.local-time-zone"] == "UTC"


def test_money_is_no_floating_point_number() -> None:
    tables, _, _ = job()
    assert re.findall(r"^ {4}(price|kdv) (\w+)", tables["adverts"], re.MULTILINE) == [("price", "DECIMAL"), ("kdv", "DECIMAL")]


def test_an_argument_cannot_end_its_sql_string() -> None:
    tables, _, _ = job("--topic=it's", "--output=file:///a', 'b' = 'c", "--dead-letters=d", "--late-records=l")
    assert options(tables["adverts"])["topic"] == "it''s"
    assert options(tables["adverts_with_kdv"])["path"] == "file:///a'', ''b'' = ''c"


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
        ("--window=1500 ms", "is not a whole number of seconds"),
        ("--buckets=0", "is no whole number above 0"),
        ("--dead-letters=a b", "is neither a topic"),
        ("--dead-letters=", "needs a place"),
        ("--format=json", "needs --format=checked-json"),
        ("--rolling-size=big", "is not a size: write a whole number and one of"),
        ("--rolling-size=0 mb", "is not a size"),
    ],
)
def test_wrong_arguments_are_refused_with_a_sentence(argument: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        kdv.parse_args([argument])
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err
