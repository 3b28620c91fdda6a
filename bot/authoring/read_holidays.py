"""Which days are off although they are weekdays, and worked although they are none, year by year."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from bot.authoring import literals, vocabulary
from bot.authoring.fields import Fields, fields_of, parsed
from bot.authoring.nodes import Node
from bot.authoring.page import Page
from bot.authoring.read_journey import check_dsl
from bot.core.rules import Holidays

YEARS = range(2000, 2101)


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """One year as the State Council published it; `official` false: a guess that may change."""

    off: frozenset[date]
    work: frozenset[date]
    official: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HolidaysDraft:
    years: Mapping[int, Year]
    page: Page


def read_holidays(page: Page, root: Node) -> HolidaysDraft | None:
    """The years of a file, None (after findings) when it holds no table."""
    fields = fields_of(page, root, vocabulary.HOLIDAYS)
    if fields is None:
        return None
    check_dsl(fields)
    found: dict[int, Year] = {}
    for entry in fields.entries("years"):
        number = parsed(page, entry.key, literals.whole)
        if number is not None and number not in YEARS:
            page.say("J008", entry.key, f"年份要在 {YEARS[0]} 到 {YEARS[-1]} 之间")
        inner = fields_of(page, entry.value, vocabulary.YEAR)
        if number in YEARS and inner:
            assert number is not None, "None is in no range"
            found[number] = _year(inner, number)
    return HolidaysDraft(years=found, page=page)


def _year(fields: Fields, number: int) -> Year:
    off, work = _days(fields, "off", number), _days(fields, "work", number)
    both = sorted(off & work)
    if both:
        fields.page.say("J016", fields.key("work"), f"{both[0]} 既放假又上班", help="从 off 或 work 里去掉它")
    return Year(off=off, work=work, official=fields.parsed("official", literals.flag, True))


def _days(fields: Fields, key: str, number: int) -> frozenset[date]:
    found: set[date] = set()
    for scalar in fields.scalars(key):
        days = parsed(fields.page, scalar, literals.days) or ()
        if any(day.year != number for day in days):
            fields.page.say("J008", scalar, f"{scalar.text} 不在 {number} 年里", help="跨年的假期分写在两年")
        found.update(days)
    return frozenset(found)


def together(shipped: Mapping[int, Year], own: Mapping[int, Year]) -> Holidays:
    """The table in force: a year of one's own takes the place of the shipped one."""
    years = {**shipped, **own}
    return Holidays(
        off=frozenset[date]().union(*(year.off for year in years.values())),
        work=frozenset[date]().union(*(year.work for year in years.values())),
        official=frozenset(number for number, year in years.items() if year.official),
    )
