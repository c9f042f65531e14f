"""The feed server itself, in both ways of running it."""

from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.feed_server import FeedServer, FeedServerProcess, Route, Server


@pytest.fixture(params=["thread", "process"], scope="module")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("served")
    (folder / "day.xml").write_text("<rss/>", encoding="utf-8")
    made = FeedServer(directory=folder) if request.param == "thread" else FeedServerProcess(directory=Path(str(folder)))
    with made as running:
        yield running


async def test_routes_are_set_while_it_runs_and_requests_are_told(server: Server) -> None:
    server.forget_requests()
    url = server.set("/anba.xml", Route(body="خبر".encode(), etag='"1"', times=2, then=Route(status=410)))
    async with aiohttp.ClientSession() as client:
        first = await client.get(url)
        same = await client.get(url, headers={"If-None-Match": first.headers["ETag"]})
        gone = await client.get(url)
    assert [first.status, same.status, gone.status] == [200, 304, 410]
    assert [seen.status for seen in server.requests("/anba.xml")] == [200, 304, 410]
    assert server.requests("/anba.xml")[1].headers["if-none-match"] == '"1"'


async def test_files_of_its_folder_are_served_and_nothing_outside(server: Server) -> None:
    async with aiohttp.ClientSession() as client:
        day = await client.get(server.url("/day.xml"))
        outside = await client.get(server.url("/..%2f..%2fetc%2fpasswd"))
        assert (day.status, await day.text(), outside.status) == (200, "<rss/>", 404)
        assert (await client.get(server.url("/day.xml"), headers={"If-None-Match": day.headers["ETag"]})).status == 304
