"""Lucene Monitor, the peer that matches stored queries against articles as they come, in a process of its own.

Needs Java 17 and Maven, which fetches the pinned Lucene of lucene/pom.xml into the user's cache once. What it is given
means the same as what Rasid is given: queries as trees of and, or, not, phrases and words; title and text of articles.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from monitor.matching.tree import And, Node, Not, Or, Phrase, Term
from monitor.model import Article

HERE = Path(__file__).resolve().parent / "lucene"
POM = HERE / "pom.xml"
CACHES = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rasid-benchmarks"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies"


def jars() -> Path | None:
    """The folder of Lucene's jars; None, with the reason printed, where they cannot be had."""
    if not shutil.which("java") or not shutil.which("mvn"):
        print("Java or Maven is missing: Lucene Monitor is left out.", file=sys.stderr)
        return None
    folder = CACHES / f"lucene-{hashlib.sha256(POM.read_bytes()).hexdigest()[:12]}"
    if not folder.exists():
        draft = folder.with_name(f"{folder.name}.{os.getpid()}")
        command = ["mvn", "-q", "-B", "-f", str(POM), COPY, f"-DoutputDirectory={draft}"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            print(f"Maven could not fetch Lucene, which is left out: {done.stdout.strip()[-300:]}", file=sys.stderr)
            return None
        draft.replace(folder)
    return folder


def written(node: Node) -> str | None:
    """A query in the prefix notation that Percolate.java reads; None where Lucene has no such query.

    What is not wanted can only be said beside something that is: of «a AND NOT b».
    """
    if isinstance(node, Term):
        return f"t {node.text}" if node.mode == "word" else None
    if isinstance(node, Phrase):
        plain = all(word.mode == "word" for word in node.words)
        return f"p {node.slop} {len(node.words)} {' '.join(word.text for word in node.words)}" if plain else None
    if not isinstance(node, And | Or):
        return None
    deny = isinstance(node, And) and not all(isinstance(child, Not) for child in node.children)
    parts: list[str] = []
    for child in node.children:
        denied = child.child if deny and isinstance(child, Not) else None
        part = written(denied or child)
        if part is None:
            return None
        parts.append(f"n {part}" if denied else part)
    return f"{'a' if isinstance(node, And) else 'o'} {len(parts)} {' '.join(parts)}"


class Lucene:
    """A running Lucene Monitor with its queries registered and its articles read."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def match(self, first: int, end: int) -> tuple[float, int]:
        """Match the articles [first, end): (microseconds, matches)."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{first} {end}\n")
        self._process.stdin.flush()
        nanoseconds, found = self._process.stdout.readline().split()
        return int(nanoseconds) / 1e3, int(found)


@contextmanager
def lucene(
    folder: Path, classes: Path, queries: Sequence[str], articles: Sequence[Article], analyzer: str, passes: int
) -> Iterator[Lucene]:
    """Lucene Monitor with these queries (as `written`) for these articles; see Percolate.java for the other two."""
    (folder / "rules").write_text("".join(f"{query}\n" for query in queries), "utf-8", "replace")
    lines = (f"{_line(one.title)}\t{_line(one.body)}\n" for one in articles)
    (folder / "articles").write_text("".join(lines), "utf-8", "replace")
    command = ["java", "-Xmx3g", "-cp", f"{classes}/*", str(HERE / "Percolate.java")]
    command += [str(folder / "rules"), str(folder / "articles"), analyzer, str(passes)]
    with (folder / "said").open("w") as said:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True)
        try:
            assert process.stdout is not None
            if process.stdout.readline() != "ready\n":
                process.wait()
                raise SystemExit(f"Lucene Monitor did not start: {(folder / 'said').read_text()[-1000:]}")
            yield Lucene(process)
        finally:
            process.kill()
            process.wait()


def _line(text: str) -> str:
    return " ".join(text.split())
