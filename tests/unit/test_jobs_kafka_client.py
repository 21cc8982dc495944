"""Properties of Kafka's own clients, by the names of the client that the tools use."""

from __future__ import annotations

import argparse
from pathlib import Path

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
