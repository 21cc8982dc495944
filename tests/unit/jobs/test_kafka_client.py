"""Properties of Kafka's own clients, by the names of the client that the tools use."""

from __future__ import annotations

import argparse
from pathlib import Path

import confluent_kafka
import pytest

from jobs.tools import kafka_client


def settings(tmp_path: Path, text: str) -> dict[str, str]:
    file = tmp_path / "client.properties"
    file.write_text(text)
    return kafka_client.settings(str(file))


def test_an_account_and_a_truststore(tmp_path: Path) -> None:
    assert settings(
        tmp_path,
        """# as Kafka's own tools read it
security.protocol=SASL_SSL
  sasl.mechanism : SCRAM-SHA-256

sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \\
    username="kdv" \\
    password="a=b \\\\"c";
ssl.truststore.type=PEM
ssl.truststore.location=/etc/kafka/ca.pem
client.id
""",
    ) == {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-256",
        "sasl.username": "kdv",
        "sasl.password": 'a=b "c',
        "ssl.ca.location": "/etc/kafka/ca.pem",
        "client.id": "",
    }


def test_a_certificate_in_the_file_itself(tmp_path: Path) -> None:
    text = "ssl.truststore.type=PEM\nssl.truststore.certificates=-----BEGIN CERTIFICATE-----\\nMII=\\n-----END CERTIFICATE-----\n"
    assert settings(tmp_path, text)["ssl.ca.pem"] == "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----"


@pytest.mark.parametrize("text", ["ssl.truststore.location=/a.jks", "ssl.truststore.type=PKCS12\nssl.truststore.location=/a.p12"])
def test_a_truststore_of_java_is_refused_with_a_sentence(tmp_path: Path, text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"write ssl.truststore.type=PEM"):
        settings(tmp_path, text)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="No such file"):
        kafka_client.settings(str(tmp_path / "none"))


JAAS = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="kdv" password="p";'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# a path C:\\kafka\\\nsecurity.protocol=SASL_SSL\n", {"security.protocol": "SASL_SSL"}),  # a comment does not go on
        ("ssl.key.password=abc\\\\\nsecurity.protocol=SSL\n", {"ssl.key.password": "abc\\", "security.protocol": "SSL"}),
        ("ssl.key.password=a\\\n  #b\n", {"ssl.key.password": "a#b"}),
        ("ssl.key.password=abc \n", {"ssl.key.password": "abc "}),
        ("ssl.key.password \\u015fifre\n", {"ssl.key.password": "şifre"}),
        ("ssl.key.password=\\ud83d\\ude00\n", {"ssl.key.password": "\U0001f600"}),
        ("ssl.key.password=a\x85b\x0cc\n", {"ssl.key.password": "a\x85b\x0cc"}),
        ("ssl.key.password=a\\\r\n\tb\rclient.id: c", {"ssl.key.password": "ab", "client.id": "c"}),
        ("client.id", {"client.id": ""}),
        ("ssl.endpoint.identification.algorithm=\n", {"ssl.endpoint.identification.algorithm": "none"}),
        ("ssl.endpoint.identification.algorithm=https\n", {"ssl.endpoint.identification.algorithm": "https"}),
        (
            "ssl.keystore.type=PEM\nssl.keystore.location=/a.pem\n",
            {"ssl.certificate.location": "/a.pem", "ssl.key.location": "/a.pem"},
        ),
        (
            "ssl.keystore.type=PEM\nssl.keystore.certificate.chain=C\nssl.keystore.key=K\n",
            {"ssl.certificate.pem": "C", "ssl.key.pem": "K"},
        ),
    ],
)
def test_a_file_is_read_as_java_reads_it(tmp_path: Path, text: str, expected: dict[str, str]) -> None:
    file = tmp_path / "client.properties"
    file.write_bytes(text.encode("latin-1"))
    assert kafka_client.settings(str(file)) == expected


def test_other_letters_are_those_of_iso_8859_1() -> None:
    """As in Java: a password in UTF-8 is another one there, and so it is here."""
    assert kafka_client.read("a=ş".encode()) == {"a": "ş".encode().decode("latin-1")}


@pytest.mark.parametrize(
    ("jaas", "password"),
    [
        (JAAS, "p"),
        (JAAS.replace('"p"', "'p\"'"), 'p"'),
        (JAAS.replace('"p"', "p"), "p"),
        (JAAS.replace('"p"', r'"a username=\"b\" c"'), 'a username="b" c'),
        (JAAS.replace('"p"', r'"\101\\"'), "A\\"),
        (JAAS.replace(";", ' truststorepassword="q";'), "p"),
        (JAAS.replace("username", "// no\n /* no */ username"), "p"),
    ],
)
def test_an_account_is_read_as_kafka_reads_it(jaas: str, password: str) -> None:
    account = kafka_client.account(jaas)
    assert (account["username"], account["password"]) == ("kdv", password)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"sasl.jaas.config={JAAS[:-1]}", r"sasl.jaas.config cannot be read: write <module> required username="),
        ("sasl.jaas.config=a password=p;", "sasl.jaas.config cannot be read"),
        ("sasl.jaas.config=a required password=p@ss;", "sasl.jaas.config cannot be read"),
        ("sasl.jaas.config=a required password;", "sasl.jaas.config cannot be read"),
        ("ssl.key.password=\\u12", "needs four hexadecimal digits"),
        ("ssl.keystore.location=/a.jks", "a keystore of type JKS: write ssl.keystore.type=PEM"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=sentence):
        settings(tmp_path, text)


def test_what_this_client_does_not_know_is_named_and_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert settings(tmp_path, "security.protocol=SSL\nacks=all\ndefault.api.timeout.ms=1\n") == {"security.protocol": "SSL"}
    assert "this program's client does without acks, default.api.timeout.ms" in capsys.readouterr().err


def test_settings_that_the_client_refuses_end_in_a_sentence() -> None:
    with pytest.raises(LookupError, match=r"the client refuses --kafka-properties: .*security.protocol"):
        kafka_client.client(confluent_kafka.Producer, {"security.protocol": "NONE", "log_level": 0})
