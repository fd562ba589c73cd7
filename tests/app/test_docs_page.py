"""The page at /docs: whole without any other host."""

import re


def test_the_page_and_what_it_loads_come_from_here(client):
    page = client.get("/docs").text
    loaded = re.findall(r"""(?:src|href)=["']([^"']+)""", page)
    assert len(loaded) >= 3
    for address in loaded:
        assert not re.match(r"(?:https?:)?//", address), f"{address} is fetched from elsewhere"
        assert client.get(address).status_code == 200
    assert "http" not in re.sub(r"http://127\.0\.0\.1:\d+", "", page)
