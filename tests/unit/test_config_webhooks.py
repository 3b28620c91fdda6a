"""`[webhooks.NAME]`: where other systems are, what we sign with, and whose they are."""

from pathlib import Path

import pytest

from bot.config import declared
from tests.unit.test_config import ACCOUNTS, SECRETS, only_complaint, read

CRM = "[webhooks.crm]\nurl = 'https://crm.example.com/zhitu/'\nkey = 'env:OA_SECRET'\nrecipient = '星澜 CRM'\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def test_a_webhook_is_read_with_the_documented_default(file: Path) -> None:
    target = read(file, ACCOUNTS + CRM).webhooks["crm"]
    assert (target.url, target.recipient, target.timeout_s) == ("https://crm.example.com/zhitu", "星澜 CRM", 10)
    assert target.key.get_secret_value() == SECRETS["OA_SECRET"]
    assert SECRETS["OA_SECRET"] not in repr(target)


def test_a_variable_may_set_a_key_of_a_webhook(file: Path) -> None:
    config = read(file, ACCOUNTS + CRM, ZHITU_WEBHOOKS__CRM__TIMEOUT_S="3")
    assert config.webhooks["crm"].timeout_s == 3


@pytest.mark.parametrize(
    ("old", "new", "key", "what"),
    [
        ("'env:OA_SECRET'", "'plain'", "key", "密钥写在了文件里"),
        ("key = 'env:OA_SECRET'\n", "", "key", "没有写"),
        ("recipient = '星澜 CRM'\n", "", "recipient", "没有写"),
        ("https://crm", "http://crm", "url", "都要用 https"),
        ("/zhitu/", "/zhitu?x=1", "url", "只写网址本身"),
        ("recipient =", "timeout_s = 26\nrecipient =", "timeout_s", "不能大于 25"),
        ("recipient =", "timeout_s = 0\nrecipient =", "timeout_s", "不能小于 1"),
        ("recipient =", "colour = 'red'\nrecipient =", "colour", "未知的键"),
    ],
)
def test_one_wrong_line_gives_one_complaint(file: Path, old: str, new: str, key: str, what: str) -> None:
    complaint = only_complaint(file, ACCOUNTS + CRM.replace(old, new, 1))
    assert (complaint.where, what in complaint.what) == (f"config.toml [webhooks.crm] {key}", True), complaint


def test_webhooks_and_their_recipients_are_told_without_any_credentials(file: Path) -> None:
    file.write_text(ACCOUNTS + CRM + "[webhooks.erp]\nurl = 'https://erp.example.com'\n", encoding="utf-8")
    assert declared(file, {}).webhooks == {"crm": "星澜 CRM", "erp": ""}
