"""What a line that is no TOML was meant to be, said in plain words with the place of the slip.

No value is repeated: it may be a secret.
"""

import re
import tomllib
from dataclasses import dataclass

_AT = re.compile(r"\(at line (\d+), column (\d+)\)$")
_ASSIGNED = re.compile(r"\s*(?P<key>[\w.\"-]+)\s*(?P<sign>[=＝:：])\s*(?P<value>.*)")
_SECTION = re.compile(r"\s*(?P<open>[\[［【])(?P<name>[^\[\]［］【】#]*)(?P<close>[\]］】]?)")
_WIDE_QUOTES = "“”‘’＂＇"
_TRUTHS = {"true", "false", "yes", "no", "on", "off", "是", "否"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """One slip at `line` and `column`, both from 1."""

    line: int
    column: int
    what: str
    cure: str


def slip_of(text: str, error: tomllib.TOMLDecodeError) -> Slip:
    """The slip in `text` for which it was refused with `error`."""
    lines = text.splitlines() or [""]
    found = _AT.search(str(error))
    number, column = (int(found[1]), int(found[2])) if found else _last_quote(lines)
    number = min(number, len(lines))
    line = lines[number - 1]
    return (
        _twice(str(error), number)
        or _in_section(line, number)
        or _in_assignment(line, number)
        or Slip(
            line=number,
            column=column,
            what="这里读不懂",
            cure="一行写一个 “键 = 值”，文字加英文双引号；说明以 # 开头，节名写成 [节名]",
        )
    )


def _last_quote(lines: list[str]) -> tuple[int, int]:
    """The end of the file tells nothing: whatever was never closed began at the last line with an odd quote."""
    odd = [number for number, line in enumerate(lines, start=1) if any(line.count(mark) % 2 for mark in "\"'")]
    return (odd[-1] if odd else len(lines)), 1


def _twice(error: str, number: int) -> Slip | None:
    if "Cannot overwrite a value" in error:
        return Slip(line=number, column=1, what="这个键写了两次", cure="只留一个")
    if error.startswith("Cannot declare"):
        return Slip(line=number, column=1, what="这一节写了两次", cure="并到前面那一节里")
    return None


def _in_section(line: str, number: int) -> Slip | None:
    found = _SECTION.match(line)
    if found is None:
        return None
    name = found["name"].strip()
    if found["open"] != "[" or found["close"] not in ("]", ""):
        what, at = "节名的方括号是全角的", found.start("open")
    elif not found["close"]:
        what, at = "节名后面少了 ]", found.end("name")
    elif not name.isascii():
        what, at = "节名里的中文没有加引号", found.start("name")
        name = ".".join(part if part.isascii() else f'"{part}"' for part in name.split("."))
    else:
        return None
    return Slip(line=number, column=at + 1, what=what, cure=f"写成 [{name}]")


def _in_assignment(line: str, number: int) -> Slip | None:
    found = _ASSIGNED.match(line)
    if found is None:
        return None
    key, sign, value = found["key"], found["sign"], found["value"].strip()
    at, bare = found.start("value"), value.split("#")[0].strip()
    if sign != "=":
        what, at = f"键和值之间要用半角的 =，这里是 “{sign}”", found.start("sign")
        return Slip(line=number, column=at + 1, what=what, cure=f"写成 {key} = …")
    if not key.isascii() and not key.startswith('"'):
        return Slip(line=number, column=found.start("key") + 1, what="中文的键没有加引号", cure=f'写成 "{key}" = …')
    if not bare:
        return Slip(line=number, column=at + 1, what="= 后面没有值", cure="补上值，或删掉这一行")
    if value[0] in _WIDE_QUOTES:
        return Slip(line=number, column=at + 1, what="引号是全角的", cure=f'换成英文双引号：{key} = "…"')
    if value[0] in "\"'" and value.find(value[0], 1) < 0:
        cure = f"在这个值的末尾补上英文的 {value[0]}：{key} = {value[0]}…{value[0]}"
        return Slip(line=number, column=at + 1, what="引号没有成对", cure=cure)
    if bare.lower() in _TRUTHS:
        return Slip(line=number, column=at + 1, what="真假要用小写", cure=f"写成 {key} = true 或 {key} = false")
    if value[0] not in "\"'[{" and not value[0].isdigit():
        return Slip(line=number, column=at + 1, what="文字没有加引号", cure=f'写成 {key} = "…"')
    return None
