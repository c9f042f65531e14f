"""feedparser as it comes, in a process without anything of ours: python -m benchmarks.plain FILE REPEAT.

Prints the number of entries and the seconds of CPU that reading the file once took.
"""

from __future__ import annotations

import json
import sys
import time
from io import BytesIO
from pathlib import Path

import feedparser


def read(body: bytes) -> int:
    """How many entries it finds."""
    return len(feedparser.parse(BytesIO(body), response_headers={"content-type": "application/rss+xml"}).entries)


def main() -> None:
    body, repeat = Path(sys.argv[1]).read_bytes(), int(sys.argv[2])
    entries = read(body)
    started = time.process_time()
    for _ in range(repeat):
        read(body)
    print(json.dumps([entries, (time.process_time() - started) / repeat]))


if __name__ == "__main__":
    main()
