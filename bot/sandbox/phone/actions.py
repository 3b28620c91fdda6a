"""What the page may ask for, checked where it comes in."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from bot.core.events import Json

TEXT_LENGTH_MAX = 2000
KEY_LENGTH_MAX = 256
OPENID_LENGTH_MAX = 64
TURN_SECONDS_MAX = 31 * 24 * 3600

_Text = Annotated[str, Field(min_length=1, max_length=TEXT_LENGTH_MAX)]
_Key = Annotated[str, Field(min_length=1, max_length=KEY_LENGTH_MAX)]
_Openid = Annotated[str, Field(min_length=1, max_length=OPENID_LENGTH_MAX)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _OfBuyer(_Strict):
    openid: _Openid


class Say(_OfBuyer):
    do: Literal["say"]
    text: _Text


class Tap(_OfBuyer):
    """A line of a menu message; `text` is what the line says, and what the buyer is seen to send."""

    do: Literal["tap"]
    menu_id: _Key
    text: _Text


class PressMenu(_OfBuyer):
    do: Literal["menu"]
    key: _Key


class Follow(_OfBuyer):
    do: Literal["follow"]
    scene: Annotated[str, Field(max_length=KEY_LENGTH_MAX)] = ""


class Unfollow(_OfBuyer):
    do: Literal["unfollow"]


class Scan(_OfBuyer):
    do: Literal["scan"]
    scene: _Key


class Click(_OfBuyer):
    do: Literal["click"]
    staff_id: _Key
    task_id: _Key
    key: _Key


class StaffSay(_OfBuyer):
    do: Literal["staff_say"]
    staff_id: _Key
    text: _Text


class Turn(_OfBuyer):
    do: Literal["turn"]
    seconds: Annotated[int, Field(ge=1, le=TURN_SECONDS_MAX)]


class NewBuyer(_Strict):
    """`openid` is the buyer who is left behind, empty at the page's first sight."""

    do: Literal["new_buyer"]
    openid: Annotated[str, Field(max_length=OPENID_LENGTH_MAX)] = ""


Action: TypeAlias = Annotated[
    Say | Tap | PressMenu | Follow | Unfollow | Scan | Click | StaffSay | Turn | NewBuyer,
    Field(discriminator="do"),
]
_ACTION: TypeAdapter[Action] = TypeAdapter(Action)


def parse(body: bytes) -> dict[str, Json]:
    """The action in `body`, with every key present. ValidationError: it is none; `complaint` says so in Chinese."""
    return _ACTION.validate_json(body).model_dump()


def complaint(error: ValidationError) -> str:
    """The first thing wrong with a refused action, for the person at the page. Never repeats what was sent."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = str(first["loc"][-1]) if first["loc"] else ""
    match first["type"]:
        case "string_too_long":
            return f"内容太长，最多 {first['ctx']['max_length']} 字（`{place}`）"
        case "string_too_short":
            return f"内容不能为空（`{place}`）"
        case "greater_than_equal" | "less_than_equal":
            return f"时间只能往前拨，一次最多 {TURN_SECONDS_MAX // 86400} 天"
        case "json_invalid":
            return "请求不是合法的 JSON"
        case kind:
            return f"请求不合格（`{place or 'body'}`：{kind}）"
