"""What is stored of the customers whom conditions are tried on: something of every kind, and of the wrong one."""

from bot.core.events import Json

TEXTS = [
    "",
    "a",
    "A",
    "Ａｂ",
    "上海",
    "上海 ",
    "　上 海\u00a0",
    "杭州",
    "é",
    "É",
    "😀",
    "\uffee",
    "z",
    "0",
    "10",
    "9",
    "İ",
    "ß",
]
NUMBERS: list[int | float] = [
    0,
    1,
    -1,
    2,
    3,
    7,
    -7,
    0.1,
    0.2,
    0.3,
    -0.000001,
    2.5,
    -2.5,
    0.5,
    1000,
    99999.999999,
    10**11,
]
DATES = ["2026-12-03", "2026-12-02", "2026-02-28", "1999-12-31", "0001-01-01", "9999-12-31", "2024-02-29"]
TIMES = [
    "2026-12-02T18:30:00+00:00",
    "2026-12-03T02:30:00+08:00",
    "2026-12-01T00:00:00+00:00",
    "2030-01-01T00:00:00.000001Z",
]
HOMES: list[Json] = [
    {"lat": 31.230416, "lng": 121.473701, "name": "上海"},
    {"lat": -0.000001, "lng": 0, "name": ""},
    {"lat": 0.5, "lng": None},
    {},
]
MISFITS: list[Json] = [
    5,
    2.5,
    True,
    "别的",
    "2026-13-01",
    "2026-12-01T10:00:00",
    [],
    {"lat": "31", "lng": True, "name": 3},
]
"""What may be stored under a name whose type a release has changed."""
TAGS = ["已试驾", "投诉", "a'b"]
PURPOSES = ["营销", "电话联系"]


def is_of_type(value: Json, declared: str) -> bool:
    """Whether `value` may stand under a name of the type `declared`; of those here no date and no record."""
    match declared:
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "bool":
            return isinstance(value, bool)
        case "text" | "choice" | "city":
            return isinstance(value, str)
        case _:
            return False
