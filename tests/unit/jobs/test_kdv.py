"""The KDV job's arguments and statements; what they compute is shown by tests/local and tests/kind."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from kdv_job import argument_types, places, plan, without_jar
from kdv_job.arguments import parse_args
from kdv_job.kafka import named_here, without_secrets
from kdv_job.options import checkpoint_timeout, configuration
from kdv_job.plan import statements
from kdv_job.topics import Kafka, Topics, stalled

from ci.core.paths import IMAGES, JOBS

REJECTS = ["dead_letters", "late_records"]


def options(statement: str) -> dict[str, str]:
    """The options in the WITH part of a CREATE TABLE."""
    return dict(re.findall(r"'([^']+)' = '((?:[^']|'')*)'", statement.split("WITH")[1]))


def job(*argv: str, **properties: str) -> tuple[dict[str, str], dict[str, str], str]:
    """{table or view: its statement}, Flink's options, and the statements that fill tables, for these arguments."""
    args = parse_args(argv)
    tables, inserts = statements(args, {name.replace("_", "."): value for name, value in properties.items()})
    by_name = {re.search(r"(?:TABLE|VIEW) (\w+)", table)[1]: table for table in tables}  # type: ignore[index]
    return by_name, configuration(args), "\n".join(inserts)


@pytest.mark.parametrize("name", ["kdv.py", "job.py"])
def test_the_job_runs_from_the_files_that_the_image_has_of_it(name: str, tmp_path: Path) -> None:
    """`flink run --python` and Flink's driver in a JobManager both call Python with the file's path, from any directory."""
    home = tmp_path / "flink"
    (home / "usrlib").mkdir(parents=True)
    dockerfile = (IMAGES / "flink" / "Dockerfile").read_text()
    for source, target in re.findall(r"^COPY --chown=\S+ (kdv/\S+) /opt/flink/(usrlib/\S+)$", dockerfile, re.MULTILINE):
        copy = shutil.copytree if (JOBS / source).is_dir() else shutil.copy2
        copy(JOBS / source, home / target)
    for file, link in re.findall(r"ln -s (\S+) /opt/flink/(usrlib/\S+)$", dockerfile, re.MULTILINE):
        (home / link).symlink_to(file)
    command = [sys.executable, str(home / "usrlib" / name), "--window=2"]
    assert "'2' is not a duration" in subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True).stderr


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
    assert "CAST(3600000 AS BIGINT)" in tables["adverts"]
    assert csv["path"] == "file:///flink-data/output"
    assert {name: options(tables[name])["topic"] for name in REJECTS} == {
        "dead_letters": "flink-group-sahibinden-dead",
        "late_records": "flink-group-sahibinden-late",
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
    assert source["scan.topic-partition-discovery.interval"] == "3000 ms"
    assert source["checked-json.timestamp-format.standard"] == "ISO-8601"
    assert source["checked-json.max-length"] == "2 mb"
    assert options(tables["dead_letters"])["path"] == "file:///dead"
    late = options(tables["late_records"])
    assert (late["topic"], late["sink.transactional-id-prefix"]) == ("l", "g-late_records")
    assert late["properties.transaction.timeout.ms"] == "3600000"
    assert "INTERVAL '0 00:00:00.250' DAY" in tables["adverts"]
    assert "CAST(10800000 AS BIGINT)" in tables["adverts"]
    assert csv["path"] == "s3://bucket/x"
    assert csv["sink.rolling-policy.file-size"] == "10 kb"
    assert csv["sink.rolling-policy.rollover-interval"] == "172800000 ms"
    assert (csv["auto-compaction"], csv["compaction.file-size"]) == ("true", "1 gb")
    assert csv["sink.parallelism"] == "3"
    assert settings["table.exec.source.idle-timeout"] == "60000 ms"
    assert settings["execution.checkpointing.interval"] == "3000 ms"


@pytest.mark.parametrize(
    ("argv", "connectors"),
    [
        ([], ["kafka", "kafka"]),
        (["--on-error=skip"], ["blackhole", "kafka"]),
        (["--on-error=fail"], ["blackhole", "kafka"]),
        (["--dead-letters=file:///d", "--late-records="], ["filesystem", "blackhole"]),
    ],
)
def test_what_becomes_of_rejects(argv: list[str], connectors: list[str]) -> None:
    tables, _, _ = job(*argv)
    assert [options(tables[name])["connector"] for name in REJECTS] == connectors


def test_properties_of_kafka_reach_every_client_and_arguments_win() -> None:
    tables, _, _ = job("--group=g", security_protocol="SASL_SSL", group_id="other", isolation_level="read_uncommitted")
    for name in ("adverts", *REJECTS):
        assert options(tables[name])["properties.security.protocol"] == "SASL_SSL"
    source = options(tables["adverts"])
    assert (source["properties.group.id"], source["properties.isolation.level"]) == ("g", "read_committed")


def test_max_future_is_what_a_function_of_the_jar_is_called_with() -> None:
    times = [re.search(r"CAST\((-?\d+) AS BIGINT\)", job(f"--max-future={value}")[0]["adverts"]) for value in ("off", "1 h")]
    assert [time and time[1] for time in times] == ["-1", "3600000"]


def test_the_format_of_flink_itself() -> None:
    tables, _, _ = job("--format=json", "--on-error=skip")
    source = options(tables["adverts"])
    assert (source["format"], source["json.ignore-parse-errors"]) == ("json", "true")
    assert not [key for key in source if key.startswith("checked-json")]


def test_without_the_jar_too_a_record_is_judged_by_one_clock() -> None:
    """Each view by a clock of its own would find a record good, and the next one broken, or neither."""
    views = without_jar.views(parse_args(["--format=json", "--on-error=skip"]))
    assert ["FROM judged" in view for view in views] == [True] * 3
    assert not re.search(r"LOCALTIMESTAMP|FROM adverts", "".join(views))


def test_the_cluster_owns_parallelism_and_the_place_of_state() -> None:
    owned = [key for key in configuration(parse_args([])) if "parallelism" in key or ".dir" in key or "storage" in key]
    assert owned == []


def test_the_time_zone_of_the_pod_does_not_matter() -> None:
    assert configuration(parse_args([]))["table.local-time-zone"] == "UTC"


def test_money_is_no_floating_point_number() -> None:
    tables, _, _ = job()
    assert re.findall(r"^ {4}(price|kdv) (\w+)", tables["adverts"], re.MULTILINE) == [("price", "DECIMAL"), ("kdv", "DECIMAL")]


@pytest.mark.parametrize(("partitions", "mib"), [(1, 4), (4, 4), (8, 2), (16, 1), (1000, 1)])
def test_a_reader_asks_for_so_much_of_a_partition_that_all_of_them_fit_into_memory(partitions: int, mib: int) -> None:
    tables, _ = statements(parse_args([]), {}, partitions)
    assert options(tables[0])["properties.max.partition.fetch.bytes"] == str(mib * 2**20)


def test_fetches_are_what_the_file_of_properties_says() -> None:
    tables, _, _ = job(max_poll_records="7")
    assert options(tables["adverts"])["properties.max.poll.records"] == "7"
    assert options(job()[0]["adverts"])["properties.max.poll.records"] == "2000"
    assert not [key for name in REJECTS for key in options(job()[0][name]) if "fetch" in key or "poll" in key]


def test_windows_have_the_same_buckets_in_all_versions() -> None:
    """Copies of a record have to meet, and a savepoint is keyed by the bucket."""
    assert plan.BUCKETS == 64


def test_without_the_jar_a_savepoint_fits_whether_future_records_are_taken_or_not() -> None:
    """The planner numbers operators by the form of the statements."""
    forms = [job("--format=json", "--on-error=skip", f"--max-future={value}")[0]["adverts"] for value in ("off", "1 h")]
    assert len({re.sub(r"([+-]) INTERVAL '[^']*' \w+\(\d\)( TO SECOND\(3\))?", r"\1 INTERVAL", form) for form in forms}) == 1


def test_an_argument_cannot_end_its_sql_string() -> None:
    tables, _, _ = job("--group=it's", "--output=file:///a', 'b' = 'c", "--dead-letters=d", "--late-records=l")
    assert options(tables["adverts"])["properties.group.id"] == "it''s"
    assert options(tables["adverts_with_kdv"])["path"] == "file:///a'', ''b'' = ''c"


@pytest.mark.parametrize(
    ("text", "expected"), [("2 min", 120_000), ("5s", 5000), ("500 ms", 500), ("1 h", 3_600_000), ("1 d", 86_400_000), ("0 s", 0)]
)
def test_durations(text: str, expected: int) -> None:
    assert argument_types.milliseconds(text) == expected


def test_each_kind_of_place_gives_a_statement_of_the_same_form() -> None:
    """The planner numbers operators by it: one that hands on the view's own columns alone would be one fewer."""
    for argv in ([], ["--on-error=skip", "--late-records="], ["--dead-letters=file:///d", "--late-records=file:///l"]):
        _, _, inserts = job(*argv)
        assert inserts.count("'sahibinden'") == 2


def test_rejects_name_the_topic_that_they_came_from() -> None:
    assert "'topic', CAST('t' AS BYTES)" in job("--topic=t")[2]
    assert "SELECT message, reason, 't', `partition`, `offset`" in job("--topic=t", "--dead-letters=file:///d")[2]


def test_nothing_is_added_to_the_time_that_a_record_claims_to_have_been_sent() -> None:
    """It may be the last millisecond that there is, and 0 or less where nobody knows it."""
    source = job("--format=json", "--on-error=skip")[0]["adverts"]
    assert not re.search(r"received[^<=]*\+", source)
    assert "received <= TO_TIMESTAMP_LTZ(0, 3)" in source


def test_a_bounded_run_takes_no_partition_for_idle() -> None:
    tables, settings, _ = job("--bounded", "--idle-timeout=5 s")
    assert options(tables["adverts"])["scan.bounded.mode"] == "latest-offset"
    assert settings["table.exec.source.idle-timeout"] == "0 ms"


@pytest.mark.parametrize(
    ("record_bytes", "kept"), [(2_097_176, 2_000_000), (1_048_588, 1_038_588), (4_000_000, 2_000_000), (9, 0)]
)
def test_a_reject_fits_into_its_topic(record_bytes: int, kept: int) -> None:
    assert Topics(1, record_bytes).kept_bytes == kept


class Configured(Kafka):
    """Kafka with these options; the account may not ask for others."""

    def __init__(self, options: dict[str, str]) -> None:
        self.options = options

    def _broker(self) -> str:
        return "1"

    def _setting(self, kind: str, name: str, key: str) -> str:
        return self.options.get(f"{kind} {key}", "")


LONG, SHORT = {"TOPIC max.message.bytes": "2097176"}, {"TOPIC max.message.bytes": "9000"}
MADE_BY_HAND = {"BROKER auto.create.topics.enable": "false", "BROKER message.max.bytes": "500"}
MADE_ANEW = {"BROKER auto.create.topics.enable": "true", "BROKER message.max.bytes": "500"}


@pytest.mark.parametrize(
    ("options", "longest"),
    [
        ({**LONG, **MADE_BY_HAND}, 2_097_176),
        ({**LONG, **MADE_ANEW}, 500),
        ({**SHORT, **MADE_BY_HAND}, 9000),
        (LONG, 1_048_588),
        (SHORT, 9000),
        ({}, 1_048_588),
    ],
)
def test_the_longest_reject_is_one_that_a_topic_takes_whoever_made_it(options: dict[str, str], longest: int) -> None:
    assert Configured(options).record_bytes(["dead", "late"]) == longest


def test_without_topics_of_rejects_nobody_is_asked() -> None:
    assert Configured(MADE_ANEW).record_bytes([]) == 2_097_176


@pytest.mark.parametrize(
    ("argv", "partitions", "parallelism", "waits_for_ever"),
    [
        (["--idle-timeout=0 s"], 2, 3, True),
        (["--idle-timeout=0 s"], 3, 3, False),
        ([], 2, 3, False),
        (["--bounded"], 2, 3, False),
    ],
)
def test_a_reader_without_a_partition_must_not_hold_back_the_windows(
    argv: list[str], partitions: int, parallelism: int, waits_for_ever: bool
) -> None:
    sentence = stalled(parse_args(argv), Topics(partitions, 1), parallelism)
    assert ("lower the parallelism, or set the timeout" in sentence) is waits_for_ever


OURS = "org.apache.flink.kafka.shaded."


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        (
            "sasl.jaas.config",
            'org.apache.kafka.x.Module required password="org.apache.kafka.x";',
            f'{OURS}org.apache.kafka.x.Module required password="org.apache.kafka.x";',
        ),
        ("sasl.jaas.config", f"{OURS}org.apache.kafka.x.Module required;", f"{OURS}org.apache.kafka.x.Module required;"),
        ("ssl.key.password", "org.apache.kafka.secret", "org.apache.kafka.secret"),
        ("sasl.login.callback.handler.class", "org.apache.kafka.x.Handler", f"{OURS}org.apache.kafka.x.Handler"),
        ("interceptor.classes", "my.Own,org.apache.kafka.x.I", f"my.Own,{OURS}org.apache.kafka.x.I"),
        ("interceptor.classes", "my.org.apache.kafka.x.I", "my.org.apache.kafka.x.I"),
        ("client.id", "org.apache.kafka.me", "org.apache.kafka.me"),
    ],
)
def test_classes_alone_are_named_as_they_are_here(name: str, value: str, expected: str) -> None:
    assert named_here(name, value, OURS) == expected


def test_the_message_of_a_failure_shows_no_secret() -> None:
    kafka = {"ssl.keystore.key": "-----BEGIN\nit's\n", "ssl.key.password": "geheim", "client.id": "me"}
    message = (
        "'properties.ssl.keystore.key'='-----BEGIN\nit''s\n' 'properties.ssl.key.password'='geheim' 'properties.client.id'='me'"
    )
    assert without_secrets(message, kafka) == (
        "'properties.ssl.keystore.key'='******' 'properties.ssl.key.password'='******' 'properties.client.id'='me'"
    )


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
        ("--sink-parallelism=0", "is not a whole number above 0"),
        ("--sink-parallelism=٣", "is not a whole number above 0"),
        ("--window=٣ min", "is not a duration"),
        ("--topic=ağ", "is not a topic: write up to 249 letters of ASCII"),
        ("--topic=..", "is not a topic"),
        ("--topic=", "is not a topic"),
        (f"--topic={'t' * 250}", "is not a topic"),
        ("--dead-letters=ağ", "is neither a topic"),
        ("--late-records=.", "is neither a topic"),
        ("--group=a b", "--group=a b gives no topic for --dead-letters, 'a b-dead': name one with --dead-letters"),
        (f"--group={'g' * 249}", "gives no topic for --dead-letters"),
        ("--dead-letters=sahibinden", "--dead-letters=sahibinden is the topic that the job reads"),
        ("--late-records=sahibinden", "--late-records=sahibinden is the topic that the job reads"),
        ("--dead-letters=flink-group-sahibinden-late", "are one place"),
        ("--dead-letters=file:///flink-data/output", "contain one another: name directories beside each other"),
        ("--dead-letters=file:///x/../flink-data/output/dead", "contain one another"),
        ("--late-records=file:///flink-data", "contain one another"),
        ("--late-records=FILE://localhost/flink-data/output/late", "contain one another"),
        ("--group= ", "is empty: write a name"),
        ("--bootstrap-servers=", "is empty: write a name"),
        ("--output=", "is not a directory: write one like"),
        ("--dead-letters=://", "is neither a topic"),
        ("--checkpoint-interval=1 ms", "is shorter than Flink allows: write at least '10 ms'"),
        ("--max-record-size=99999999999999999999 gb", "is not a size"),
        ("--transaction-timeout=25 d", "is longer than Kafka's clients allow"),
        ("--transaction-timeout=5 min", "has to be at least 6 min longer than --checkpoint-interval"),
        ("--checkpoint-interval=15 min", "has to be at least 6 min longer than --checkpoint-interval"),
        ("--dead-letters=a b", "is neither a topic"),
        ("--dead-letters=", "needs a place"),
        ("--format=json", "needs --format=checked-json"),
        ("--rolling-size=big", "is not a size: write a whole number and one of"),
        ("--rolling-size=0 mb", "is not a size"),
    ],
)
def test_wrong_arguments_are_refused_with_a_sentence(argument: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_args([argument])
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


def test_places_that_only_look_alike_are_taken() -> None:
    parse_args(["--dead-letters=file:///flink-data/output-dead", "--late-records=file:///flink-data/output-late"])
    parse_args(["--dead-letters=s3://a/x", "--output=s3://b/x"])
    parse_args(["--on-error=skip", "--dead-letters=sahibinden", "--late-records="])


def test_without_rejects_in_topics_no_transaction_has_to_last() -> None:
    parse_args(["--dead-letters=file:///d", "--late-records=", "--checkpoint-interval=1 h"])


@pytest.mark.parametrize(
    ("output", "dead"),
    [
        ("/flink-data/output", "file:///flink-data/output"),
        ("file:/flink-data/output", "file:///flink-data/output/dead"),
        ("file://localhost/flink-data/output", "file:///flink-data/output"),
        ("s3://b/kdv", "s3a://b/kdv/dead"),
        ("s3://b/kdv", "S3://b/kdv/dead"),
    ],
)
def test_a_directory_is_the_same_in_every_spelling(output: str, dead: str) -> None:
    assert places.overlap(output, dead)
    assert places.overlap(dead, output)


@pytest.mark.parametrize(
    ("one", "other"), [("s3://a/kdv", "s3://b/kdv"), ("file:///a", "file:///ab"), ("hdfs://a/x", "s3://a/x")]
)
def test_directories_beside_each_other_are_two(one: str, other: str) -> None:
    assert not places.overlap(one, other)


@pytest.mark.parametrize(
    ("argv", "configured", "timeout"),
    [
        ([], 600_000, 590_000),
        ([], 60_000, 60_000),
        (["--transaction-timeout=1 h"], 600_000, 600_000),
        (["--dead-letters=file:///d", "--late-records=file:///l"], 1_800_000, 1_800_000),
        (["--checkpoint-interval=9 min"], 600_000, 60_000),
    ],
)
def test_a_checkpoint_is_given_up_before_kafka_drops_what_it_would_commit(argv: list[str], configured: int, timeout: int) -> None:
    assert checkpoint_timeout(parse_args(argv), configured) == timeout
