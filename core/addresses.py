"""Addresses as they may be shown. Pure."""

import re

_CREDENTIALS = re.compile(r"(?<=://)[^\s/?#]*@")


def hide_credentials(text: str) -> str:
    """The text without user and password in the addresses that it holds: `http://user:password@host/v1`
    becomes `http://host/v1`. What has none is the same."""
    return _CREDENTIALS.sub("", text)
