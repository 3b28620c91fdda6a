"""The addresses that we call, each with what its platform promises about a repeat. Source: delivery.md 3.4."""

from bot.channels.verdicts import Endpoint

STABLE_TOKEN = Endpoint(platform="oa", path="/cgi-bin/stable_token", keyed=True)
CUSTOM_SEND = Endpoint(platform="oa", path="/cgi-bin/message/custom/send")
TEMPLATE_SEND = Endpoint(platform="oa", path="/cgi-bin/message/template/send", keyed=True)
USER_INFO = Endpoint(platform="oa", path="/cgi-bin/user/info", method="GET", keyed=True)

GETTOKEN = Endpoint(platform="wecom", path="/cgi-bin/gettoken", method="GET", keyed=True)
MESSAGE_SEND = Endpoint(platform="wecom", path="/cgi-bin/message/send")
UPDATE_CARD = Endpoint(platform="wecom", path="/cgi-bin/message/update_template_card", keyed=True)

ALL = (STABLE_TOKEN, CUSTOM_SEND, TEMPLATE_SEND, USER_INFO, GETTOKEN, MESSAGE_SEND, UPDATE_CARD)
