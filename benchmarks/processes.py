"""Memory and CPU time of processes, as the kernel counts them (Linux)."""

from __future__ import annotations

import os
from pathlib import Path


def field_mb(file: Path, name: str) -> float:
    """A field of /proc/PID/status or smaps_rollup; 0 where the process is gone."""
    try:
        lines = file.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:")), 0.0)


def peak_mb(pid: int) -> float:
    """The most that the process ever had resident."""
    return field_mb(Path(f"/proc/{pid}/status"), "VmHWM")


def resident_mb(pid: int) -> float:
    """What it has resident now, shared pages counted whole."""
    return field_mb(Path(f"/proc/{pid}/status"), "VmRSS")


def proportional_mb(pid: int) -> float:
    """What it has resident now, shared pages counted by their share (PSS): these add up over processes."""
    return field_mb(Path(f"/proc/{pid}/smaps_rollup"), "Pss")


def cpu_seconds(pid: int) -> float:
    """What it has used of the CPU so far, in all its threads."""
    words = _stat(Path(f"/proc/{pid}"))
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK") if words else 0.0


def workers_of(pid: int) -> list[int]:
    """The parse workers among its children."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        words = _stat(folder)
        if words and int(words[1]) == pid and b"monitor.feeds.worker_process" in _command(folder):
            found.append(int(folder.name))
    return found


def _stat(folder: Path) -> list[str]:
    """The fields of /proc/PID/stat from the third on; none where the process is gone."""
    try:
        return (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _command(folder: Path) -> bytes:
    try:
        return (folder / "cmdline").read_bytes()
    except OSError:
        return b""
