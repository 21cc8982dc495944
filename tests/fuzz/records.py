"""Records near the edge: valid ones, in which values or bytes are replaced by what parsers are known to get wrong."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

_DIGITS = ["0", "7", "18000", "99999999999999", "100000000000000", "9223372036854775807", "9223372036854775808", "1" * 25]
_FRACTIONS = ["", "", ".0", ".5", ".1234", ".12345", ".12340000", ".00000000000000000000000", ".99999999999999999999"]
_EXPONENTS = [
    "", "", "", "e0", "e1", "E+3", "e-2", "e-4", "e-9", "e000000000000000002", "e14", "e308", "e400000000", "e2147483647",
    "e2147483648", "e-2147483648", "e-2147483649", "e99999999999", "e-99999999999", "e99999999999999999999999", "e", "e+",
    "e1.0",
]  # fmt: skip
_SPECIAL = 'null true false NaN -Infinity nul {} [] [1,{}] {"id":1} "" \'\' - .5 1. 01 +1'.split()
# Bytes in a text: well formed, overlong, surrogates, beyond U+10FFFF, cut, escapes.
_TEXTS = [
    b"", b"a", "çğışöü".encode(), "\u2028\U0001f600\uffff\U0010ffff".encode(), b"\x7f", b"\x00", b"\t", b"\n", b'"',
    b'\\"', b"\\", b"\\u0000", b"\\u00E7", b"\\uD83D\\uDE00", b"\\ud83d", b"\\ude00", b"\\ud83d\\u0041",
    b"\\ud83d\\ud83d\\ude00", b"\\u12", b"\\u+123", b"\\ug000", b"\\x41", b"\\/\\b\\f\\n\\r\\t\\\\", b"\xed\xa0\x80",
    b"\xed\xb0\x80", b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xc0\x80", b"\xc1\xbf", b"\xc2\x80", b"\xe0\x80\xa2",
    b"\xe0\x9f\xbf", b"\xe0\xa0\x80", b"\xf0\x8f\xbf\xbf", b"\xf0\x90\x80\x80", b"\xf4\x8f\xbf\xbf", b"\xf4\x90\x80\x80",
    b"\xf7\xbf\xbf\xbf", b"\xf8\x88\x80\x80\x80", b"\xe2\x82", b"\x80", b"\xfd", b"\xff", b"\xfe",
]  # fmt: skip
_TIMES = [
    "2024-05-20 08:00:30", "2024-05-20 08:00:30.5", "2024-02-29 23:59:59.999999999", "2024-05-20 08:00:30.1234567890",
    "2023-02-29 08:00:00", "2024-05-20 24:00:00", "2024-05-20 08:60:00", "2024-13-01 08:00:00", "1970-01-01 00:00:00",
    "1969-12-31 23:59:59.999", "0000-01-01 00:00:00", "2024-05-20T08:00:30", "2024-05-20 08:00:30Z",
    "2024-05-20 08:00:30.", "٢٠٢٤-05-20 08:00:30", "2024-05-20 08:00:3", " 2024-05-20 08:00:30", "",
]  # fmt: skip
_BLANKS = ["", "", "", "", " ", "\n", "\r\n\t ", "\f", "\v", "\u00a0", "\ufeff", "\0", "//\n", "#"]
_NAMES = ["id", "product", "description", "price", "kdv", "timestamp_column"]


def _number(choice: random.Random) -> bytes:
    if choice.random() < 0.05:
        sign = choice.choice(["", "-", "0.", "1."])
        return (sign + choice.choice("019") * choice.choice([18, 19, 30, 1001, 5000, 60_000])).encode()
    parts = (choice.choice(["", "", "", "-"]), choice.choice(_DIGITS), choice.choice(_FRACTIONS), choice.choice(_EXPONENTS))
    return "".join(parts).encode()


def _text(choice: random.Random) -> bytes:
    return b'"' + b"".join(choice.choice(_TEXTS) for _ in range(choice.randrange(3))) + b'"'


def _time(choice: random.Random) -> bytes:
    return json.dumps(choice.choice(_TIMES), ensure_ascii=choice.random() < 0.5).encode()


def _anything(choice: random.Random) -> bytes:
    return choice.choice([_number, _text, _time, lambda choice: choice.choice(_SPECIAL).encode()])(choice)


def _deep(choice: random.Random) -> bytes:
    """A value with many levels."""
    depth = choice.choice([1, 2, 10, 999, 1001, 9000])
    opening, closing = choice.choice([(b"[", b"]"), (b'{"id":', b"}"), (b'[{"":', b"}]")])
    inner = _anything(choice)
    return opening * depth + inner + closing * (depth - (choice.random() < 0.1))


def _unknown(choice: random.Random) -> tuple[bytes, bytes]:
    """A field that is to be ignored, mostly."""
    long = b'"' + b"n" * choice.choice([1, 60_000]) + b'"'
    name = choice.choice([_text, lambda _: long, lambda _: b'"\\u0069d"', lambda _: b'"Id"'])
    return name(choice), choice.choice([_anything, _deep])(choice)


_GOOD = {
    "id": lambda choice: b"%d" % choice.choice([0, -1, 7, choice.getrandbits(62), -(2**63), 2**63 - 1]),
    "price": lambda choice: b"%d.%d" % (choice.getrandbits(40), choice.randrange(10_000)),
    "kdv": lambda choice: choice.choice([b"0", b"0.18", b"1", b"1.0000", b"2e-1", b"10E-2", b"0.2000000000"]),
    "timestamp_column": lambda choice: b'"2024-05-20 08:00:%02d"' % choice.randrange(60),
}
_GOOD_TEXTS = ["ikinci el", "Çamaşır makinesi, az kullanılmış", "Çamaşır 'makinesi' \U0001f600", "₺ fiyatına"]
_WILD = {"id": _number, "price": _number, "kdv": _number, "timestamp_column": _time}


def _record(choice: random.Random) -> bytes:
    """A record, of which no more than a few values are odd."""
    fields = []
    for name in _NAMES:
        odd = choice.random()
        if odd < 0.005:
            continue
        good = _GOOD.get(name, lambda choice: json.dumps(choice.choice(_GOOD_TEXTS), ensure_ascii=False).encode())
        value = _anything(choice) if odd < 0.01 else _WILD.get(name, _text)(choice) if odd < 0.08 else good(choice)
        fields.append((b'"' + name.encode() + b'"', value))
    if choice.random() < 0.1:
        fields.append(choice.choice(fields) if choice.random() < 0.5 else (choice.choice(fields)[0], _anything(choice)))
    if choice.random() < 0.3:
        fields.insert(choice.randrange(len(fields) + 1), _unknown(choice))
    if choice.random() < 0.2:
        choice.shuffle(fields)

    def blank() -> bytes:
        return choice.choice(_BLANKS).encode() if choice.random() < 0.02 else b""

    body = b",".join(blank() + name + blank() + b":" + blank() + value + blank() for name, value in fields)
    return blank() + b"{" + body + b"}" + blank()


def _damaged(record: bytes, choice: random.Random) -> bytes:
    """The record with a few bytes changed, put in, taken out, or a part of it twice."""
    for _ in range(choice.choice([1, 1, 1, 2, 8])):
        at, length = choice.randrange(len(record) + 1), choice.choice([1, 1, 2, 5, 40])
        piece = choice.choice(
            [bytes([choice.randrange(256)]), choice.choice(_TEXTS), record[at : at + length], b"", b"{", b"}", b",", b'"']
        )
        record = record[:at] + piece + record[at + choice.choice([0, length]) :]
    return record


def records(seed: int) -> Iterator[bytes]:
    """Without end; the same seed gives the same ones."""
    choice = random.Random(seed)
    while True:
        record = _record(choice)
        yield _damaged(record, choice) if choice.random() < 0.2 else record
