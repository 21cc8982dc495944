"""What becomes of each record: row, copy, dead letter or late record; and the amounts in the rows."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness_kdv.adverts import GOOD, advert
from harness_kdv.kafka import Record
from harness_kdv.model import Input
from jobs.tools.producer import BROKEN, to_json
from tests.local.kdv import Kdv, check


def test_every_kind_of_fault_is_a_dead_letter_and_the_job_goes_on(kdv: Kdv) -> None:
    choice = random.Random(1)
    kinds = [name for name in BROKEN for _ in range(4)]
    broken = [BROKEN[name](GOOD, choice) for name in kinds]
    good = [advert(id=number, time=f"08:0{number % 10}:00") for number in range(40)]
    both = list(itertools.chain.from_iterable(itertools.zip_longest(broken, good)))
    kdv.send({0: [line for line in both if line is not None], 1: [advert(id=99)]})

    kdv.run("--watermark-delay=1 h")

    assert len(check(kdv).broken) == len(broken)
    assert kdv.late() == []
    assert len(kdv.rows()) == 41


REASONS = [
    (b"", "empty"),
    (b" ", "empty"),
    (b"[]", "no JSON object"),
    (advert()[:-1], "no JSON"),
    (advert() + b"}", "text after the document"),
    (advert(product="I").replace(b'"I"', b'"\xfd"'), "not UTF-8"),
    (advert().decode().encode("utf-16"), "not UTF-8"),
    (advert(product="I").replace(b'"I"', b'"\xed\xa0\x80"'), "not UTF-8"),
    (advert(product="I").replace(b'"I"', b'"\\ud800"'), "product: half of a surrogate pair"),
    (advert(product=None), "product: null"),
    (advert(product=5), "product: no text"),
    (advert(id=1.5), "id: no whole number"),
    (advert(id="1"), "id: no whole number"),
    (advert(id=2**63), "id: out of range"),
    (advert(price="5"), "price: no number"),
    (advert(price=-1), "price: out of range"),
    (advert(price=10**14), "price: out of range"),
    (advert(price=Decimal("1e400000000")), "price: out of range"),
    (advert(price=1).replace(b":1,", b":1e99999999999,"), "price: out of range"),
    (advert(price=1).replace(b":1,", b":1e-99999999999,"), "price: more than 4 digits behind the point"),
    (advert(price=Decimal("0.00001")), "price: more than 4 digits behind the point"),
    (advert(kdv=Decimal("1.01")), "kdv: out of range"),
    (advert(timestamp_column="soon"), "timestamp_column: unreadable time"),
    (advert(timestamp_column="1969-12-31 23:59:59"), "timestamp_column: unreadable time"),
    (advert(timestamp_column="2024-05-20T08:00:00"), "timestamp_column: unreadable time"),
    (advert(description="a" * 70_000), "longer than 65536 bytes"),
    (b'{"id":1}', "product: missing"),
]


def test_the_reasons(kdv: Kdv) -> None:
    kdv.send([value for value, _ in REASONS])
    kdv.run()
    assert [(record.value, record.headers["reason"]) for record in kdv.dead()] == REASONS
    check(kdv)


def test_money(kdv: Kdv) -> None:
    cases = {
        ("50000", "0.10"): "55000.00",
        ("0.05", "0.10"): "0.06",  # 0.055: half up
        ("1.005", "0"): "1.01",
        ("0.0049", "0"): "0.00",
        ("0", "0.2"): "0.00",
        ("18970.00", "0.2"): "22764.00",
        ("19.90", "1"): "39.80",
        ("99999999999999.9999", "1"): "200000000000000.00",
        ("12345678901234.5678", "0.0001"): "12346913469124.69",
        ("1e3", "1e-2"): "1010.00",
    }
    kdv.send([advert(id=number, price=Decimal(price), kdv=Decimal(rate)) for number, (price, rate) in enumerate(cases)])
    kdv.run()
    rows = {row.id: row for row in kdv.rows()}
    assert {(number, str(rows[number].price_with_kdv)) for number in rows} == set(enumerate(cases.values()))
    assert [rows[number].price for number in sorted(rows)] == [Decimal(price) for price, _ in cases]
    check(kdv)


def test_texts_and_numbers_as_they_are_written(kdv: Kdv) -> None:
    kdv.send([advert(product='a"b,\n', description="", price=Decimal("18970.00"), kdv=Decimal("0.20"))])
    kdv.run()
    (part,) = (kdv.directory / "output").glob("part-*")
    assert part.read_bytes() == b'7,"a""b,\n","",18970,0.2,22764.00,"2024-05-20 08:00:00"\n'


def test_copies_within_a_window_are_one_row_and_any_difference_makes_two(kdv: Kdv) -> None:
    same = [advert(price=Decimal("5")), advert(price=Decimal("5.00")), advert(time="08:01:59.999")]
    other = [
        advert(time="08:02:00"),
        advert(product="televizyon"),
        advert(description="ikinci el"),
        advert(kdv=Decimal("0.1801")),
    ]
    kdv.send({0: [*same, *other], 1: same})
    kdv.run("--watermark-delay=1 h")
    assert len(kdv.rows()) == 6
    check(kdv)


def test_late_records_are_kept_and_a_row_in_time_is_none(kdv: Kdv) -> None:
    in_time = [advert(id=1, time="08:00:00"), advert(id=2, time="08:02:04.998"), advert(id=3, time="08:01:59")]
    kdv.send(in_time)
    kdv.start()
    kdv.send([advert(id=4, time="08:02:04.999")])  # the watermark reaches 08:02
    kdv.wait_rows(2)
    kdv.send([advert(id=5, time="08:01:59.999"), advert(id=6, time="08:02:00")])
    kdv.wait_late(1)
    origin = {"topic": kdv.topic, "partition": "0", "offset": "4"}
    assert [(record.value, record.headers) for record in kdv.late()] == [
        (advert(id=5, time="08:01:59.999"), {"reason": "late: its window was closed", **origin})
    ]
    kdv.send([advert(id=7, time="08:09:00")])
    kdv.wait_rows(5)
    assert sorted(row.id for row in kdv.rows()) == [1, 2, 3, 4, 6]


FAULTS = st.sampled_from(sorted(set(BROKEN) - {"1 MB"}))
TIMES = st.integers(0, 1800_000).map(lambda millis: datetime(2024, 5, 20, 8) + timedelta(milliseconds=millis))
ROWS = st.builds(
    lambda number, text, price, kdv, time: {
        "id": number,
        "product": text,
        "description": "x",
        "price": price,
        "kdv": kdv,
        "timestamp_column": time.isoformat(sep=" ", timespec="milliseconds"),
    },
    st.integers(-5, 5) | st.integers(-(2**63), 2**63 - 1),
    st.text(st.characters(codec="utf-8"), max_size=8),
    st.decimals(0, 10**14, places=4).filter(lambda price: price < 10**14) | st.integers(0, 3),
    st.decimals(0, 1, places=4),
    TIMES,
)
VALUES = ROWS.map(to_json) | st.builds(
    lambda row, fault, seed: BROKEN[fault](row, random.Random(seed)), ROWS, FAULTS, st.integers(0, 999)
)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(partitions=st.lists(st.lists(VALUES, max_size=40), min_size=1, max_size=3), copies=st.integers(1, 2))
def test_every_record_is_accounted_for(new_kdv: Callable[[int], Kdv], partitions: list[list[bytes]], copies: int) -> None:
    kdv = new_kdv(len(partitions))
    kdv.send({number: values * copies for number, values in enumerate(partitions)})
    kdv.run()
    check(kdv)


def test_the_check_finds_a_lost_record(kdv: Kdv) -> None:
    kdv.send([advert(id=1), b"x"])
    kdv.run()
    read = Input([*kdv.input(), Record(1, 0, b"y")])
    assert any("dead letter lost: (1, 0)" in sentence for sentence in read.rejects(kdv.dead(), []))
