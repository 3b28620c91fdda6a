"""The phone page: the buyer's WeChat, the advisor's WeCom, and between them what the bot thinks."""
