"""config.toml and the environment: what is read, what is refused, and how it is said."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.config import Config, declared, is_loopback, key_texts, load, load_storage
from bot.errors import Complaint, ConfigError
from bot.storage.keys import KeyRing

AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
OLD_AES_KEY = "GFEDCBA9876543210zyxwvutsrqponmlkjihgfedcba"[:42] + "A"
SECRETS = {"OA_SECRET": "s3cret-of-oa", "OA_TOKEN": "t0ken", "OA_KEY": AES_KEY, "APP_SECRET": "s3cret-of-app"}
ACCOUNTS = """
[channels.oa.main]
app_id = "wx0000000000000001"
secret = "env:OA_SECRET"
token = "env:OA_TOKEN"
aes_key = "env:OA_KEY"

[channels.wecom.main]
corp_id = "ww0000000000000001"
agent_id = 1000002
secret = "env:APP_SECRET"
token = "env:OA_TOKEN"
aes_key = "env:OA_KEY"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def read(file: Path, text: str, **environ: str) -> Config:
    file.write_text(text, encoding="utf-8")
    return load(file, SECRETS | environ)


def complaints(file: Path, text: str, environ: Mapping[str, str] = SECRETS) -> tuple[Complaint, ...]:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refusal:
        load(file, environ)
    return refusal.value.complaints


def only_complaint(file: Path, text: str, environ: Mapping[str, str] = SECRETS) -> Complaint:
    (complaint,) = complaints(file, text, environ)
    return complaint


def test_a_complete_file_is_read_with_the_documented_defaults(file: Path) -> None:
    config = read(file, ACCOUNTS)
    assert (config.server.host, config.server.port, config.server.admin_port) == ("127.0.0.1", 8080, 9090)
    assert config.server.public_url is None
    assert config.storage.url == "sqlite:///zhitu.db"
    account = config.channels.oa["main"]
    assert (account.mode, account.api_base, account.aes_keys) == ("safe", "https://api.weixin.qq.com", (AES_KEY,))
    assert account.secret.get_secret_value() == "s3cret-of-oa"
    app = config.channels.wecom["main"]
    assert (app.agent_id, app.api_base) == (1000002, "https://qyapi.weixin.qq.com")


def test_every_key_of_the_file_can_be_overridden_by_a_variable(file: Path) -> None:
    config = read(
        file,
        ACCOUNTS,
        ZHITU_SERVER__PORT="0",
        ZHITU_STORAGE__URL="postgresql://zhitu@db/zhitu",
        ZHITU_STORAGE__KEYS="env:OA_TOKEN, env:OA_SECRET",
        ZHITU_CHANNELS__OA__MAIN__API_BASE="http://127.0.0.1:9001/",
        ZHITU_CHANNELS__OA__MAIN__SECRET="another",
        ZHITU_CHANNELS__OA__MAIN__TEMPLATES__留资进度="TM1",
        ZHITU_CHANNELS__WECOM__MAIN__AGENT_ID="7",
    )
    assert config.server.port == 0
    assert config.storage.url == "postgresql://zhitu@db/zhitu"
    assert [key.get_secret_value() for key in config.storage.keys or ()] == ["t0ken", "s3cret-of-oa"]
    account = config.channels.oa["main"]
    assert (account.api_base, account.secret.get_secret_value()) == ("http://127.0.0.1:9001", "another")
    assert account.templates == {"留资进度": "TM1"}
    assert config.channels.wecom["main"].agent_id == 7


def test_an_account_can_be_given_by_variables_alone(file: Path) -> None:
    names = {"APP_ID": "wx2", "SECRET": "s", "TOKEN": "t", "AES_KEY": AES_KEY}
    config = read(file, "", **{f"ZHITU_CHANNELS__OA__SECOND__{key}": value for key, value in names.items()})
    assert config.channels.oa["second"].app_id == "wx2"


def test_a_name_in_the_file_is_found_by_a_variable_whatever_its_case(file: Path) -> None:
    text = ACCOUNTS + '\n[channels.oa.main.templates]\nLead = "TM1"\n'
    assert read(file, text, ZHITU_CHANNELS__OA__MAIN__TEMPLATES__LEAD="TM2").channels.oa["main"].templates == {
        "Lead": "TM2"
    }


def test_a_template_without_an_id_is_named_but_not_registered(file: Path) -> None:
    account = read(file, ACCOUNTS + '\n[channels.oa.main.templates]\na = ""\nb = "TM"\n').channels.oa["main"]
    assert account.template_ids == {"b": "TM"}


def test_both_keys_of_a_rotation_are_kept_with_the_new_one_first(file: Path) -> None:
    config = read(file, ACCOUNTS, OA_KEY=f"{AES_KEY},{OLD_AES_KEY}")
    assert config.channels.oa["main"].aes_keys == (AES_KEY, OLD_AES_KEY)


def test_plain_mode_does_without_an_aes_key(file: Path) -> None:
    text = ACCOUNTS.replace('aes_key = "env:OA_KEY"', 'mode = "plain"', 1)
    assert read(file, text).channels.oa["main"].aes_keys == ()


def test_no_repr_shows_a_secret(file: Path) -> None:
    config = read(file, ACCOUNTS, ZHITU_STORAGE__URL="postgresql://zhitu:pa55@db/zhitu", ZHITU_STORAGE__KEYS="k3y")
    shown = repr(config) + str(config)
    assert not [secret for secret in (*SECRETS.values(), "pa55", "k3y") if secret in shown]


def test_everything_that_is_wrong_is_told_in_one_report(file: Path) -> None:
    text = """
    [server]
    prot = 1
    [storage]
    url = "mysql://db"
    [channels.oa.main]
    app_id = "wx1"
    secret = "env:UNSET"
    api_base = "http://example.com"
    """
    told = [(c.where, c.what) for c in complaints(file, text, {"ZHITU_SERVER__PORT": "x", "ZHITU_SEVER__HOST": "y"})]
    assert told == [
        ("config.toml [channels.oa.main] aes_key", "没有写，而 mode `safe` 需要它"),
        ("config.toml [channels.oa.main] api_base", "除非是本机，都要用 https"),
        ("config.toml [channels.oa.main] secret", "环境变量 `UNSET` 没有设置"),
        ("config.toml [channels.oa.main] token", "没有写"),
        ("ZHITU_SERVER__PORT", "要写整数"),
        ("config.toml [server] prot", "未知的键 `prot`"),
        ("config.toml [storage] url", "既不是 SQLite 也不是 PostgreSQL 的地址"),
        ("ZHITU_SEVER__HOST", "未知的键 `SEVER`"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("wx0000000000000001", "", "config.toml [channels.oa.main] app_id", "是空的"),
        ("env:OA_SECRET", "literal", "config.toml [channels.oa.main] secret", "密钥写在了文件里"),
        ("env:OA_SECRET", "", "config.toml [channels.oa.main] secret", "是空的"),
        ("agent_id = 1000002", "", "config.toml [channels.wecom.main] agent_id", "没有写"),
        ("1000002", "'many'", "config.toml [channels.wecom.main] agent_id", "要写整数"),
        ("1000002", "-1", "config.toml [channels.wecom.main] agent_id", "不能小于 0"),
        ("[channels.oa.main]", "[channels.oa.Main-1]", "config.toml [channels.oa] Main-1", "不能作为账号的名字"),
        ("[channels.oa.main]", "[channels.kf.main]", "config.toml [channels] kf", "未知的键 `kf`"),
        (
            'app_id = "wx',
            'mode = "open"\napp_id = "wx',
            "config.toml [channels.oa.main] mode",
            "只能是 'safe'、'compatible'、'plain'",
        ),
        ('app_id = "wx', 'api_base = "ftp://x"\napp_id = "wx', "config.toml [channels.oa.main] api_base", "不是网址"),
        (
            'app_id = "wx',
            'api_base = "https://a:b"\napp_id = "wx',
            "config.toml [channels.oa.main] api_base",
            "不是网址",
        ),
        (
            'app_id = "wx',
            'api_base = "https://a?b=c"\napp_id = "wx',
            "config.toml [channels.oa.main] api_base",
            "只写网址本身",
        ),
    ],
)
def test_one_wrong_line_gives_one_complaint_at_its_place(file: Path, old: str, new: str, where: str, what: str) -> None:
    complaint = only_complaint(file, ACCOUNTS.replace(old, new, 1))
    assert (complaint.where, what in complaint.what) == (where, True), complaint


@pytest.mark.parametrize(
    ("more", "where", "what"),
    [
        ("[server]\nport = 70000", "config.toml [server] port", "不能大于 65535"),
        ("[server]\nport = nan", "config.toml [server] port", "要写整数"),
        ("[server]\nport = 80.5", "config.toml [server] port", "要写整数"),
        ("[server]\nport = 2026-11-22", "config.toml [server] port", "要写整数"),
        ("[server]\nport = [1]", "config.toml [server] port", "要写整数"),
        ("[server]\ncallback_age_s = true", "config.toml [server] callback_age_s", "要写整数"),
        ("[server]\ncallback_age_s = 59", "config.toml [server] callback_age_s", "不能小于 60"),
        ("[server]\nhost = 7", "config.toml [server] host", "要写文字"),
        ("[server]\nport = 9090", "config.toml [server] admin_port", "和 port 一样：9090"),
        ("[server]\npublic_url = 'http://bot.example.com'", "config.toml [server] public_url", "都要用 https"),
        ("[storage]\nurl = 'sqlite://'", "config.toml [storage] url", "没有指出文件"),
        ("[storage]\nurl = 'sqlite:///a%20b.db'", "config.toml [storage] url", "`%` 或 `?`"),
        ("[storage]\nurl = 'sqlite:///a.db?mode=ro'", "config.toml [storage] url", "`%` 或 `?`"),
        ('[storage]\nurl = "sqlite:///a\\u0000b.db"', "config.toml [storage] url", "没有指出文件"),
        ("[storage]\nurl = 'sqlite+aiosqlite:///a.db'", "config.toml [storage] url", "既不是 SQLite 也不是"),
        ("[storage]\nurl = 'postgresql://db/x'", "config.toml [storage] keys", "PostgreSQL 没有密钥文件"),
        ("[storage]\nkeys = 'env:OA_TOKEN'", "config.toml [storage] keys", "要写列表"),
        ("[storage]\nkeys = []", "config.toml [storage] keys", "是空的列表"),
        ("[storage]\nkeys = ['plain']", "config.toml [storage] keys", "密钥写在了文件里"),
    ],
)
def test_one_wrong_setting_gives_one_complaint_at_its_place(file: Path, more: str, where: str, what: str) -> None:
    complaint = only_complaint(file, f"{more}\n{ACCOUNTS}")
    assert (complaint.where, what in complaint.what) == (where, True), complaint


@pytest.mark.parametrize("url", ["postgresql://u:pa55@h:abc/db", "postgresql+nope://u:pa55@h/db", "postgresql://"])
def test_an_address_of_no_database_is_refused_without_showing_its_password(file: Path, url: str) -> None:
    complaint = only_complaint(file, ACCOUNTS, SECRETS | {"ZHITU_STORAGE__URL": url, "ZHITU_STORAGE__KEYS": "k"})
    assert (complaint.where, "pa55" in str(complaint)) == ("ZHITU_STORAGE__URL", False)


def test_a_web_address_that_cannot_be_read_is_not_quoted(file: Path) -> None:
    """Before: the reason was Python's, which quotes the user's name and password in it."""
    base = "https://user:pa55@h\u2100x/"
    complaint = only_complaint(file, ACCOUNTS, SECRETS | {"ZHITU_CHANNELS__OA__MAIN__API_BASE": base})
    assert "pa55" not in str(complaint)


@pytest.mark.parametrize(
    ("key", "what"),
    [
        ("short", "有 5 个字符，应为 43 个"),
        ("é" * 43, "有 EncodingAESKey 里不会有的字符"),
        (f"{AES_KEY},{AES_KEY},{AES_KEY}", "有 3 个密钥，最多 2 个"),
    ],
)
def test_an_impossible_aes_key_is_refused_without_showing_it(file: Path, key: str, what: str) -> None:
    text = ACCOUNTS.replace("env:OA_KEY", "env:BAD_KEY", 1)
    complaint = only_complaint(file, text, SECRETS | {"BAD_KEY": key})
    assert complaint.what == what
    assert key not in str(complaint)


def test_a_value_in_the_place_of_a_section_is_told(file: Path) -> None:
    told = [c.what for c in complaints(file, f"server = 5\n{ACCOUNTS}", SECRETS | {"ZHITU_SERVER__PORT": "1"})]
    assert told == ["要自成一节"]


def test_two_sections_for_one_account_are_refused(file: Path) -> None:
    text = ACCOUNTS + ACCOUNTS.replace(".main]", ".twin]")
    assert [(c.where, c.what) for c in complaints(file, text)] == [
        ("config.toml [channels.oa.twin] app_id", "和 [channels.oa.main] 里的一样"),
        ("config.toml [channels.wecom.twin] agent_id", "和 [channels.wecom.main] 里的一样"),
    ]


def test_two_applications_of_one_company_are_two_accounts(file: Path) -> None:
    text = ACCOUNTS + ACCOUNTS[ACCOUNTS.index("[channels.wecom") :].replace(".main]", ".twin]").replace("02", "03")
    assert sorted(read(file, text).channels.wecom) == ["main", "twin"]


def test_a_file_without_any_account_is_refused(file: Path) -> None:
    assert only_complaint(file, "").what == "一个账号也没有"


@pytest.mark.parametrize(
    ("variable", "what", "hint"),
    [
        ("ZHITU_SERVER__PROT", "[server] 里未知的键 `PROT`", "是否指 `PORT`？"),
        ("ZHITU_CHANNELS__AO__MAIN__TOKEN", "[channels] 里未知的键 `AO`", "是否指 `OA`？"),
        ("ZHITU_SERVER__PORT__X", "[server.port] 里未知的键 `X`", "`ZHITU_SERVER__PORT` 下面没有键"),
        ("ZHITU_CHANNELS__OA", "指的是一节，不是一个键", "后面加 __ 和名字"),
    ],
)
def test_a_variable_that_overrides_nothing_is_told_with_a_suggestion(
    file: Path, variable: str, what: str, hint: str
) -> None:
    complaint = only_complaint(file, ACCOUNTS, SECRETS | {variable: "1"})
    assert (complaint.where, complaint.what, complaint.hint) == (variable, what, hint)


def test_variables_without_a_double_underscore_are_free_for_secrets(file: Path) -> None:
    text = ACCOUNTS.replace("env:OA_SECRET", "env:ZHITU_OA_SECRET", 1)
    assert read(file, text, ZHITU_OA_SECRET="mine").channels.oa["main"].secret.get_secret_value() == "mine"


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"[server\n", "不是合法的 TOML"),
        (b"\xff\xfe", "不是 UTF-8（第 0 字节）"),
        (b"#" * 1_000_001, "超过 1000000 字节"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(file: Path, raw: bytes, what: str) -> None:
    file.write_bytes(raw)
    with pytest.raises(ConfigError, match=what):
        load(file, SECRETS)


def test_a_missing_file_says_how_to_name_another(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="没有这个文件") as refusal:
        load(tmp_path / "nothing.toml", {})
    assert "--config FILE" in refusal.value.complaints[0].hint


def test_the_storage_section_is_read_without_any_credentials(file: Path) -> None:
    file.write_text(f"[storage]\nurl = 'sqlite:///a.db'\n{ACCOUNTS}")
    assert load_storage(file, {}).url == "sqlite:///a.db"


def test_the_storage_section_alone_still_tells_its_own_mistakes(file: Path) -> None:
    file.write_text(f"[storage]\nurl = 'nowhere'\n{ACCOUNTS}")
    with pytest.raises(ConfigError) as refusal:
        load_storage(file, {"ZHITU_STORAGE__ULR": "x", "ZHITU_SERVER__ULR": "x"})
    assert [c.where for c in refusal.value.complaints] == ["config.toml [storage] url", "ZHITU_STORAGE__ULR"]


def test_accounts_and_templates_are_told_without_any_credentials(file: Path) -> None:
    file.write_text(ACCOUNTS + "\n[channels.oa.main.templates]\n'留资进度' = ''\n", encoding="utf-8")
    told = declared(file, {"ZHITU_CHANNELS__OA__TWO__TOKEN": "x"})
    assert told.official_accounts == {"main": frozenset({"留资进度"}), "two": frozenset()}
    assert (told.staff_apps, told.templates) == ({"main"}, {"留资进度"})


@pytest.mark.parametrize(
    ("host", "here"),
    [("localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("10.0.0.1", False), ("a.b", False)],
)
def test_only_this_machine_is_loopback(host: str, here: bool) -> None:
    assert is_loopback(host) is here


def test_without_keys_a_key_file_appears_beside_the_database_and_stays(file: Path, tmp_path: Path) -> None:
    storage = read(file, f"[storage]\nurl = 'sqlite:///{tmp_path}/deep/a.db'\n{ACCOUNTS}").storage
    first, second = key_texts(storage), key_texts(storage)
    assert (first.created, second.created) == (True, False)
    assert first.texts == second.texts
    assert first.file == tmp_path / "deep" / "a.db.key"
    assert stat.S_IMODE(os.stat(first.file).st_mode) == 0o600
    assert [path.name for path in first.file.parent.iterdir()] == ["a.db.key"]
    assert first.texts[0] not in repr(first)
    assert repr(KeyRing.from_texts(first.texts)) == "KeyRing(versions=[1])"


def test_configured_keys_leave_the_disk_alone(file: Path, tmp_path: Path) -> None:
    text = f"[storage]\nurl = 'sqlite:///{tmp_path}/a.db'\nkeys = ['env:OA_TOKEN']\n{ACCOUNTS}"
    keys = key_texts(read(file, text).storage)
    assert (keys.texts, keys.file, keys.created) == (("t0ken",), None, False)
    assert not (tmp_path / "a.db.key").exists()


def test_a_database_whose_key_file_is_gone_gets_no_new_one(file: Path, tmp_path: Path) -> None:
    storage = read(file, f"[storage]\nurl = 'sqlite:///{tmp_path}/a.db'\n{ACCOUNTS}").storage
    (tmp_path / "a.db").touch()
    with pytest.raises(ConfigError, match="打开它的密钥却不在"):
        key_texts(storage)
    assert not (tmp_path / "a.db.key").exists()


@pytest.mark.parametrize(("mode", "text", "what"), [(0o644, "k", "主人以外的人也能读"), (0o600, " \n", "是空的")])
def test_a_key_file_that_protects_nothing_is_refused(
    file: Path, tmp_path: Path, mode: int, text: str, what: str
) -> None:
    storage = read(file, f"[storage]\nurl = 'sqlite:///{tmp_path}/a.db'\n{ACCOUNTS}").storage
    key_file = tmp_path / "a.db.key"
    key_file.write_text(text)
    key_file.chmod(mode)
    with pytest.raises(ConfigError, match=what):
        key_texts(storage)
