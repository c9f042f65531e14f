"""A parse worker's own process: python -m monitor.feeds.worker_process MEGABYTES. Reads jobs, writes answers, knows
no secret.

Frames are a four-byte length and that many bytes. A job is a pickle (the daemon is trusted); an answer is JSON, since
what comes back has touched hostile input. This module stays small: it is what an idle worker keeps in memory.
"""

from __future__ import annotations

import importlib
import json
import os
import pickle
import resource
import signal
import struct
import sys
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from typing import Any, BinaryIO

LENGTH = struct.Struct(">I")


def read_frame(stream: BinaryIO) -> bytes | None:
    """The next frame, or None at the end of the stream."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (size,) = LENGTH.unpack(head)
    body = stream.read(size)
    return body if len(body) == size else None


def plain(value: Any) -> Any:
    """Dataclasses, datetimes and timedeltas as JSON: {"f": fields}, {"d": ISO}, {"s": seconds}."""
    if isinstance(value, str | int | float | bool) or value is None:
        return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
    if isinstance(value, datetime):
        return {"d": value.isoformat()}
    if isinstance(value, timedelta):
        return {"s": value.total_seconds()}
    if is_dataclass(value):
        return {"f": {f.name: plain(getattr(value, f.name)) for f in fields(value)}}
    return [plain(item) for item in value]


def run(job: bytes) -> dict[str, Any]:
    """Do one job; every failure becomes an answer except the end of memory or time."""
    from monitor.errors import ParseError

    name, args, kwargs = pickle.loads(job)  # noqa: S301 - written by the daemon, never by the network
    module, _, function = name.partition(":")
    try:
        return {"ok": plain(getattr(importlib.import_module(module), function)(*args, **kwargs))}
    except ParseError as error:
        return {"error": str(error)}
    except MemoryError:
        raise
    except RecursionError:
        return {"error": "it is nested too deeply to be read"}
    except Exception as error:  # a parser's own failure must reach the daemon as one answer
        return {"error": f"it cannot be read ({type(error).__name__})"}


def limit_cpu(seconds: int) -> None:
    """Let this process use `seconds` more of CPU time; then the kernel ends it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + seconds + 1, hard))


def main() -> None:
    megabytes, seconds = int(sys.argv[1]), int(sys.argv[2])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    size = megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever a parser prints must not enter the answers
    jobs = sys.stdin.buffer
    while (job := read_frame(jobs)) is not None:
        limit_cpu(seconds)
        try:
            answer = run(job)
        except MemoryError:
            answer = {"error": f"reading it takes more than {megabytes} MB of memory", "last": True}
        raw = json.dumps(answer).encode()
        view = memoryview(LENGTH.pack(len(raw)) + raw)
        while view:
            view = view[answers.write(view) :]
        if answer.get("last"):
            return


if __name__ == "__main__":
    main()
