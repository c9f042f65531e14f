"""The dictionary as one compact file (6 MB), built once from the package simplemma and then only mapped.

Building takes some ten seconds and 320 MB, so another process does it. The file's name says which list and which
code made it; an older one is never read.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

from xxhash import xxh3_64_hexdigest

from monitor.arabic.dictionary import Dictionary

WITHOUT = (
    "without the packages simplemma and marisa-trie, terms match by rule alone: broken plurals (صواريخ for صاروخ) are "
    "not found, and some words that only look like a form are"
)
_CODE = (
    "corrections",
    "dictionary",
    "dictionary_build",
    "inflections",
    "names",
    "normalise",
    "plurals",
    "pronouns",
    "tokens",
)
_SECONDS = 300
_UNUSED = 30 * 24 * 3600.0


class Unavailable(Exception):
    """There is no dictionary; str() says why and what is lost."""


def file_name() -> str:
    """Of the dictionary that this program would build. Unavailable where a package is missing."""
    try:
        version = metadata.version("simplemma")
        metadata.version("marisa-trie")
    except metadata.PackageNotFoundError as error:
        raise Unavailable(WITHOUT) from error
    here = Path(__file__).parent
    code = xxh3_64_hexdigest(b"".join((here / f"{name}.py").read_bytes() for name in _CODE))
    return f"arabic-{version}-{code}.trie"


def is_built(folder: Path) -> bool:
    """Whether `open_dictionary` will find it there; True also where there can be none."""
    try:
        return (folder / file_name()).exists()
    except Unavailable:
        return True
    except OSError:  # a folder that this user may not look into: runuser and su keep another's HOME
        return False


def open_dictionary(folder: Path | None) -> Dictionary:
    """The dictionary kept in `folder`, which is made and filled where need be. Unavailable; never another error.

    Without a folder, or with one that cannot be written to, it is built anew at every start, mapped and forgotten.
    """
    name = file_name()
    if folder is not None:
        with contextlib.suppress(OSError, RuntimeError):  # not there yet, or damaged
            return _map(folder / name)
        with contextlib.suppress(OSError, RuntimeError):
            return _kept(folder, name)
    with tempfile.TemporaryDirectory(prefix="rasid-") as passing:
        _build(Path(passing) / name)
        try:
            return _map(Path(passing) / name)
        except (OSError, RuntimeError) as error:
            raise Unavailable(f"the Arabic dictionary cannot be read ({error}): {WITHOUT}") from error


def _kept(folder: Path, name: str) -> Dictionary:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".building-") as draft:
        _build(Path(draft) / name)
        (Path(draft) / name).replace(folder / name)
    _clear(folder)
    return _map(folder / name)


def _clear(folder: Path) -> None:
    """Remove what a killed start left half built, and dictionaries that no version of Rasid has opened for a month."""
    now = time.time()
    with contextlib.suppress(OSError):
        for left in folder.glob(".building-*"):
            if now - left.stat().st_mtime > _SECONDS:
                shutil.rmtree(left)
        for old in folder.glob("arabic-*.trie"):
            if now - old.stat().st_atime > _UNUSED:
                old.unlink(missing_ok=True)


def _map(path: Path) -> Dictionary:
    import marisa_trie

    trie = marisa_trie.BytesTrie()
    trie.mmap(str(path))
    return Dictionary(trie)


def _build(path: Path) -> None:
    command = [sys.executable, "-m", "monitor.arabic.dictionary_file", str(path)]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        if getattr(error, "returncode", 0) == -signal.SIGINT:  # Ctrl-C reaches both
            raise KeyboardInterrupt from None
        said = getattr(error, "stderr", None) or b""
        last = said.decode(errors="replace").strip().rpartition("\n")[2]
        raise Unavailable(f"the Arabic dictionary could not be built ({last or error}): {WITHOUT}") from error


def _write(path: Path) -> None:
    import marisa_trie
    from simplemma.strategies.dictionaries.dictionary_factory import DefaultDictionaryFactory

    from monitor.arabic.dictionary import rows
    from monitor.arabic.dictionary_build import tables

    marisa_trie.BytesTrie(rows(tables(DefaultDictionaryFactory().get_dictionary("ar")))).save(str(path))


if __name__ == "__main__":
    _write(Path(sys.argv[1]))
