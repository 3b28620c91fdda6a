"""WeCom application messages (应用消息), channel `app`: we talk to our own advisors here."""
