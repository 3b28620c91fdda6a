"""The official account (公众号), channel `oa`: buyers talk to us here."""
