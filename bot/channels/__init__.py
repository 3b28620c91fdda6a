"""Ways to send and receive: the official account (`oa`) and WeCom application messages to staff (`app`)."""
