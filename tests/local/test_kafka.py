"""What Kafka's owners may ask for or do: accounts and encryption, compression, transactions, limits."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from confluent_kafka import Producer

from ci.core.paths import JOBS
from harness_kdv.adverts import advert, rows_of_minutes
from harness_kdv.kafka import parse
from jobs.tools import kafka_client
from local import kafka
from local.submitter import SubmitFailed
from tests.local.kdv import NEW, OLD, Kdv

pytestmark = pytest.mark.parametrize("cluster", [NEW, pytest.param(OLD, marks=pytest.mark.full)], indirect=True, scope="session")
PASSWORD = "kdv-secret"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the broker's keystore and the certificate that its clients trust."""
    directory = tmp_path_factory.mktemp("certificate")
    store: list[str | Path] = ["-keystore", directory / "store.p12", "-storepass", "changeit", "-alias", "broker"]
    names = ["-dname", "CN=localhost", "-ext", "SAN=IP:127.0.0.1,DNS:localhost"]
    subprocess.run(["keytool", "-genkeypair", "-keyalg", "RSA", *store, *names], check=True, capture_output=True)
    subprocess.run(["keytool", "-exportcert", "-rfc", *store, "-file", directory / "ca.pem"], check=True, capture_output=True)
    return directory


@pytest.fixture(params=["PLAIN", "SCRAM-SHA-512"])
def client_file(request: pytest.FixtureRequest, certificate: Path) -> Path:
    """What a user of the broker below writes for Kafka's own programs."""
    mechanism: str = request.param
    module = "plain.PlainLoginModule" if mechanism == "PLAIN" else "scram.ScramLoginModule"
    file = certificate / f"{mechanism}.properties"
    file.write_text(f"""# for tests
security.protocol=SASL_SSL
sasl.mechanism = {mechanism}
sasl.jaas.config=org.apache.kafka.common.security.{module} required \\
    username="kdv" password="{PASSWORD}";
ssl.truststore.type=PEM
ssl.truststore.location={certificate / "ca.pem"}
""")
    return file


@pytest.fixture
def guarded(certificate: Path, client_file: Path, tmp_path: Path) -> Iterator[kafka.Broker]:
    """A broker that lets nobody in without an account, and speaks TLS alone."""
    listener = "listener.name.clients."
    config = {
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,BROKERS:PLAINTEXT,CLIENTS:SASL_SSL",
        f"{listener}sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
        f"{listener}plain.sasl.jaas.config": "org.apache.kafka.common.security.plain.PlainLoginModule required "
        f'user_kdv="{PASSWORD}";',
        f"{listener}scram-sha-512.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
        f"{listener}ssl.keystore.type": "PKCS12",
        f"{listener}ssl.keystore.location": str(certificate / "store.p12"),
        f"{listener}ssl.keystore.password": "changeit",
    }
    account = f"--add-scram=SCRAM-SHA-512=[name=kdv,password={PASSWORD}]"
    client = kafka_client.settings(str(client_file))
    with kafka.running(tmp_path / "guarded", config=config, format_options=[account], client=client) as running:
        yield running


def tool(name: str, broker: kafka.Broker, file: Path, *arguments: str | Path) -> str:
    """Run a program of jobs/tools as its image does."""
    command = [sys.executable, JOBS / "tools" / f"{name}.py", *arguments]
    command += [f"--bootstrap-servers={broker.address}", f"--kafka-properties={file}"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def test_a_broker_that_asks_who_it_is(
    new_kdv: Callable[..., Kdv], guarded: kafka.Broker, client_file: Path, tmp_path: Path
) -> None:
    kdv = new_kdv(0, broker=guarded)
    topic = f"--topic={kdv.topic}"
    assert "created with 2 partitions" in tool("topic", guarded, client_file, "create", topic, "--partitions=2")
    sample = tmp_path / "sample"
    sample.write_bytes(b"\n".join([*rows_of_minutes(10), b"broken"]))
    assert "delivered 13 of 13" in tool("producer", guarded, client_file, topic, f"--sample={sample}", "--close-windows=600")
    kdv.start(f"--kafka-properties={client_file}", "--idle-timeout=500 ms")
    kdv.wait_accounted(idle=True)
    (dead,) = parse(tool("records", guarded, client_file, f"--topic={kdv.topic}-dead"))
    assert dead.value == b"broken"


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_every_compression(kdv: Kdv, codec: str) -> None:
    kdv.send({0: rows_of_minutes(50), 1: rows_of_minutes(50)}, **{"compression.type": codec})
    kdv.start()
    kdv.wait_rows(49)
    kdv.wait_accounted()


def test_what_its_producer_took_back_is_no_row(kdv: Kdv) -> None:
    settings: Mapping[str, str] = {"bootstrap.servers": kdv.broker.address, "transactional.id": kdv.topic}
    producer = Producer(dict(settings))
    producer.init_transactions()
    for keep, rows in ((True, [advert(id=1)]), (False, [advert(id=2), b"broken"]), (True, rows_of_minutes(300)[250:])):
        producer.begin_transaction()
        for row in rows:
            producer.produce(kdv.topic, row, partition=0)
        producer.flush()
        producer.commit_transaction() if keep else producer.abort_transaction()
    kdv.run()
    assert {row.id for row in kdv.rows()} == {1, *range(250, 300)}
    assert kdv.dead() == []


def test_a_record_that_is_too_long_for_a_dead_letter_is_cut(kdv: Kdv) -> None:
    kdv.broker.configure(kdv.topic, "max.message.bytes", 4_000_000)
    long = advert(description="uzun " * 600_000)
    kdv.send([long, advert(description="a" * 1_500_000), *rows_of_minutes(3)], **{"compression.type": "gzip"})
    kdv.run()
    cut, whole = kdv.dead()
    assert (cut.value, cut.headers["reason"]) == (
        long[:2_000_000],
        f"longer than 65536 bytes (the first 2000000 of {len(long)} bytes are kept)",
    )
    assert whole.headers["reason"] == "longer than 65536 bytes"
    assert len(kdv.rows()) == 3


def test_a_dead_letter_fits_into_a_topic_that_was_there_before(kdv: Kdv) -> None:
    kdv.broker.create_topic(f"{kdv.topic}-dead")
    kdv.broker.configure(f"{kdv.topic}-dead", "max.message.bytes", 30_000)
    kdv.send([b"x" * 100_000, b"y" * 20_000])
    kdv.run()
    assert [record.value for record in kdv.dead()] == [b"x" * 20_000, b"y" * 20_000]


def test_a_topic_that_takes_no_dead_letter_is_refused(kdv: Kdv) -> None:
    kdv.broker.create_topic(f"{kdv.topic}-dead")
    kdv.broker.configure(f"{kdv.topic}-dead", "cleanup.policy", "compact")
    with pytest.raises(SubmitFailed, match=f"topic {kdv.topic}-dead is compacted"):
        kdv.start()


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[kafka.Broker]:
    """A broker that lets transactions last for two hours."""
    with kafka.running(tmp_path / "patient", config={"transaction.max.timeout.ms": "7200000"}) as running:
        yield running


def test_a_transaction_lasts_as_long_as_the_broker_lets_it(kdv: Kdv, new_kdv: Callable[..., Kdv], patient: kafka.Broker) -> None:
    with pytest.raises(SubmitFailed, match=r"--transaction-timeout is more than .* transaction.max.timeout.ms \(900000\)"):
        kdv.start("--transaction-timeout=1 h")
    longer = new_kdv(2, broker=patient)
    longer.send({0: rows_of_minutes(50), 1: [*rows_of_minutes(50), b"broken"]})
    longer.run("--transaction-timeout=1 h")
    assert {row.id for row in longer.rows()} == set(range(50))
    assert [record.value for record in longer.dead()] == [b"broken"]


def test_a_record_may_claim_to_have_been_sent_at_any_time(kdv: Kdv) -> None:
    last = 2**63 - 1
    kdv.broker.configure(kdv.topic, "message.timestamp.after.max.ms", last)
    producer = Producer({**kdv.broker.client, "bootstrap.servers": kdv.broker.address})
    for number, sent in enumerate((last, last - 3_600_000, 253_402_300_800_000)):
        producer.produce(kdv.topic, advert(id=number), partition=0, timestamp=sent)
    producer.produce(kdv.topic, advert(id=9, timestamp_column="9999-12-31 23:59:59"), partition=0, timestamp=last)
    assert producer.flush(30) == 0
    kdv.run()
    assert {row.id for row in kdv.rows()} == {0, 1, 2}
    assert [record.headers["reason"] for record in kdv.dead()] == ["timestamp_column: in the future"]
    assert [record.headers["topic"] for record in kdv.dead()] == [kdv.topic]
