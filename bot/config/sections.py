"""The sections of config.toml as frozen values. Key by key they are explained in config.toml itself."""

import base64
import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic_core import PydanticCustomError

PORT_MAX = 65535
AES_KEY_LENGTH = 43
"""Length of an EncodingAESKey: 32 bytes of base64 without the `=`. Source: wechat-api.md 1.1."""
AES_KEYS_MAX = 2
"""The key in use and, while it is being rotated, the one before. More are refused."""
STORAGE_KEYS_MAX = 16
"""Keys of the database, of all versions. More are refused."""
DEDUPE_DAYS = 7
"""Rows that tell a second delivery from the first are kept at least so long. Source: delivery.md 1.2."""
KEEP_DAYS_MAX = 3_650
CALLBACK_AGE_S_MIN = 60
"""A platform repeats for some 15 s, and clocks differ a little: less would turn away what is right."""
CALLBACK_AGE_S_MAX = 3_600
"""The more, the longer whoever has seen a request of plain mode can send it again."""
ACCOUNTS_MAX = 64
"""Accounts of one kind. More are refused: each holds connections, a token and a share of the dispatch."""
WEBHOOKS_MAX = 32
"""Targets of webhooks. More are refused."""
WEBHOOK_TIMEOUT_S_MAX = 25
"""Less than half the lease of an errand (delivery.md 3.1): the next try never meets the one before."""
NAME_LENGTH_MAX = 32
_NAME = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*")  # what a variable can say as well: no `-`, no second case, no `__`
_KEY_SEPARATOR = ","
_STORAGE_HINT = "写成 `sqlite:///zhitu.db` 或 `postgresql://name:password@host/database`"


def _fault(kind: str, what: str, *, hint: str) -> PydanticCustomError:
    return PydanticCustomError(kind, "{what}", {"what": what, "hint": hint})


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address, can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _split(value: str) -> SplitResult:
    hint = "写成 `https://example.com`"
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        # Not `from` that error: it quotes the address, and with it a password.
        raise _fault("address", "不是网址", hint=hint) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise _fault("address", "不是网址", hint=hint)
    return parts


def _web_address(value: str) -> str:
    """`value` without its last slash. What is sent there holds tokens, so nobody on the way may read it."""
    parts = _split(value)
    if parts.query or parts.fragment or parts.username or parts.password:
        raise _fault("address", "只写网址本身", hint="去掉 `?…`、`#…` 和 `…@`")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise _fault("not_https", "除非是本机，都要用 https", hint="前面写 `https://`")
    return value.rstrip("/")


def _account_name(value: str) -> str:
    if _NAME.fullmatch(value) is None or len(value) > NAME_LENGTH_MAX:
        hint = f"最多 {NAME_LENGTH_MAX} 个小写字母、数字和单个 `_`，例如 `main`"
        raise _fault("account_name", f"`{value}` 不能作为账号的名字", hint=hint)
    return value


def _aes_keys(value: SecretStr) -> SecretStr:
    keys = value.get_secret_value().split(_KEY_SEPARATOR)
    hint = "从平台后台复制 EncodingAESKey；更换期间写 `新,旧`"
    if len(keys) > AES_KEYS_MAX:
        raise _fault("aes_key", f"有 {len(keys)} 个密钥，最多 {AES_KEYS_MAX} 个", hint=hint)
    for key in keys:
        if len(key) != AES_KEY_LENGTH:
            raise _fault("aes_key", f"有 {len(key)} 个字符，应为 {AES_KEY_LENGTH} 个", hint=hint)
        try:
            base64.b64decode(f"{key}=", validate=True)
        except ValueError as error:
            raise _fault("aes_key", "有 EncodingAESKey 里不会有的字符", hint=hint) from error
    return value


def _whole(value: object) -> object:
    """A text stays one: variables have no other values."""
    if isinstance(value, bool | float):
        raise _fault("not_whole", "要写整数", hint="只写数字，不加引号")
    return value


def _filled(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().strip():
        raise _fault("empty", "是空的", hint="填上生成它时记下的值")
    return value


def _storage_url(value: str) -> str:
    scheme, separator, rest = value.partition("://")
    match scheme if separator else "":
        case "sqlite":
            _check_file(rest)
        case "postgresql":
            _check_server(value)
        case _:
            raise _fault("storage_url", "既不是 SQLite 也不是 PostgreSQL 的地址", hint=_STORAGE_HINT)
    return value


def _check_file(rest: str) -> None:
    if not rest.strip("/") or ":memory:" in rest or not rest.isprintable():
        raise _fault("storage_url", "没有指出文件，重启之后什么都留不下", hint=_STORAGE_HINT)
    if "%" in rest or "?" in rest:
        raise _fault("storage_url", "文件名里有 `%` 或 `?`", hint="换一个普通的文件名")


def _check_server(value: str) -> None:
    try:
        known = urlsplit(value).port != 0 and value != "postgresql://"
    except ValueError:
        known = False
    if not known:
        hint = "端口是数字；密码里的特殊字符写成 `%XX`"
        raise _fault("storage_url", "不是 PostgreSQL 数据库的地址", hint=hint)


WebAddress = Annotated[str, AfterValidator(_web_address)]
AccountName = Annotated[str, AfterValidator(_account_name)]
Whole = Annotated[int, BeforeValidator(_whole)]
Port = Annotated[Whole, Field(ge=0, le=PORT_MAX)]
"""0: the system picks a free one."""
Text = Annotated[str, Field(min_length=1)]
Secret = Annotated[SecretStr, AfterValidator(_filled)]
AesKeys = Annotated[SecretStr, AfterValidator(_aes_keys)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True)


class Server(_Section):
    """`[server]`. Metrics listen on `admin_port` of this machine only. `public_url`: what the platforms call us.

    `callback_age_s`: how far a callback's time of signing may be from ours, either way.
    """

    host: Text = "127.0.0.1"
    port: Port = 8080
    public_url: WebAddress | None = None
    admin_port: Port = 9090
    callback_age_s: Annotated[Whole, Field(ge=CALLBACK_AGE_S_MIN, le=CALLBACK_AGE_S_MAX)] = 600


class Storage(_Section):
    """`[storage]`. `url` may hold a password, so no repr shows it. No `keys`: see `keyfile.key_texts`."""

    url: Annotated[str, AfterValidator(_storage_url)] = Field(default="sqlite:///zhitu.db", repr=False)
    keys: Annotated[tuple[Secret, ...], Field(min_length=1, max_length=STORAGE_KEYS_MAX)] | None = None
    keep_events_days: Annotated[Whole, Field(ge=DEDUPE_DAYS, le=KEEP_DAYS_MAX)] = DEDUPE_DAYS
    keep_messages_days: Annotated[Whole, Field(ge=DEDUPE_DAYS, le=KEEP_DAYS_MAX)] = 180
    keep_journal_days: Annotated[Whole, Field(ge=DEDUPE_DAYS, le=KEEP_DAYS_MAX)] = 400
    keep_quarantine_days: Annotated[Whole, Field(ge=1, le=KEEP_DAYS_MAX)] = 30

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a file of this machine."""
        return self.url.startswith("sqlite")


class OfficialAccount(_Section):
    """`[channels.oa.NAME]`: one official account. `templates`: name in journeys → the platform's id, or empty."""

    app_id: Text
    secret: Secret
    token: Secret
    aes_key: AesKeys | None = None
    mode: Literal["safe", "compatible", "plain"] = "safe"
    api_base: WebAddress = "https://api.weixin.qq.com"
    templates: Mapping[Text, str] = Field(default_factory=dict)

    @property
    def aes_keys(self) -> tuple[str, ...]:
        """The key in use first, then the one before while it is rotated. Empty in plain mode without a key."""
        return _keys(self.aes_key)

    @property
    def template_ids(self) -> Mapping[str, str]:
        """The templates that the platform knows: journeys may name one before its id is there."""
        return {name: template_id for name, template_id in self.templates.items() if template_id}


class StaffApp(_Section):
    """`[channels.wecom.NAME]`: one WeCom application, through which we talk to our own people."""

    corp_id: Text
    agent_id: Annotated[Whole, Field(ge=0)]
    secret: Secret
    token: Secret
    aes_key: AesKeys
    api_base: WebAddress = "https://qyapi.weixin.qq.com"

    @property
    def aes_keys(self) -> tuple[str, ...]:
        """The key in use first, then the one before while it is rotated."""
        return _keys(self.aes_key)


def _keys(value: SecretStr | None) -> tuple[str, ...]:
    return tuple(value.get_secret_value().split(_KEY_SEPARATOR)) if value is not None else ()


class Channels(_Section):
    """`[channels]`: the accounts by name."""

    oa: Annotated[Mapping[AccountName, OfficialAccount], Field(max_length=ACCOUNTS_MAX)] = Field(default_factory=dict)
    wecom: Annotated[Mapping[AccountName, StaffApp], Field(max_length=ACCOUNTS_MAX)] = Field(default_factory=dict)


class WebhookTarget(_Section):
    """`[webhooks.NAME]`: another system that journeys may ask (`webhook: {call: NAME.operation}`).

    `url`: where, the operation is put behind it. `key`: what we sign with. `recipient`: whose system it is, for whoever
    must know where personal data goes.
    """

    url: WebAddress
    key: Secret
    recipient: Text
    timeout_s: Annotated[Whole, Field(ge=1, le=WEBHOOK_TIMEOUT_S_MAX)] = 10


class Config(_Section):
    """The whole of config.toml with the environment laid over it, checked."""

    server: Server = Field(default_factory=Server)
    storage: Storage = Field(default_factory=Storage)
    channels: Channels = Field(default_factory=Channels)
    webhooks: Annotated[Mapping[AccountName, WebhookTarget], Field(max_length=WEBHOOKS_MAX)] = Field(
        default_factory=dict
    )


def keys_at(path: tuple[str, ...]) -> frozenset[str] | None:
    """The keys that may stand under `path`, for example under `("channels", "oa", "main")`.

    None: names of one's own choice stand there. Empty: nothing can stand there, `path` is a value or unknown.
    """
    match path:
        case ():
            return frozenset(Config.model_fields)
        case ("server",):
            return frozenset(Server.model_fields)
        case ("storage",):
            return frozenset(Storage.model_fields)
        case ("channels",):
            return frozenset(Channels.model_fields)
        case ("channels", "oa", _):
            return frozenset(OfficialAccount.model_fields)
        case ("channels", "wecom", _):
            return frozenset(StaffApp.model_fields)
        case ("webhooks", _):
            return frozenset(WebhookTarget.model_fields)
        case ("channels", "oa" | "wecom") | ("channels", "oa", _, "templates") | ("webhooks",):
            return None
        case _:
            return frozenset()
