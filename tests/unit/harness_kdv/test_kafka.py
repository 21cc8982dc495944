"""Records on their way from Kafka through our tool's text."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from harness_kdv.kafka import Kafka, Record, parse
from jobs.tools.records import line


def test_asks_our_tool() -> None:
    calls = []

    def tools(command: Sequence[str]) -> str:
        calls.append(list(command))
        return line({"partition": 1, "offset": 2, "headers": {"reason": "no JSON"}, "value": b"\xfd"}) + "\n"

    assert Kafka(tools, "kafka:9092").consume("t") == [Record(1, 2, b"\xfd", {"reason": "no JSON"})]
    assert calls == [["python3", "/opt/kdv/records.py", "--bootstrap-servers", "kafka:9092", "--topic", "t"]]


@given(st.lists(st.binary() | st.text().map(str.encode)), st.dictionaries(st.text(), st.text()))
def test_every_value_arrives_as_it_is(values: list[bytes], headers: dict[str, str]) -> None:
    records = [{"partition": 0, "offset": offset, "headers": headers, "value": value} for offset, value in enumerate(values)]
    text = "".join(f"{line({**record})}\n" for record in records)
    assert parse(text) == [Record(0, offset, value, headers) for offset, value in enumerate(values)]
