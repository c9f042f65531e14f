"""Builds the matcher's compiled kernel where a C compiler is; without it the matcher is pure Python and finds the same.

Runs whenever the package is built or installed from source. CC and CFLAGS are heeded; what went wrong is printed.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import zlib
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FLAGS = ("-O2", "-std=c11", "-shared", "-fPIC")


class KernelHook(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        folder = Path(self.root) / "monitor" / "matching"
        built = folder / "libkernel.so"
        built.unlink(missing_ok=True)  # it may be of an older source
        if self.target_name == "wheel" and build(folder / "kernel.c", built):
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data |= {"pure_python": False, "tag": f"py3-none-{platform}"}


def build(source: Path, built: Path) -> bool:
    """Compile the source into a shared library; False where that cannot be done here, which is no error."""
    compiler = shlex.split(os.environ.get("CC", "cc"))
    if not shutil.which(compiler[0]):
        return False
    made = built.with_suffix(f".{os.getpid()}")
    told = f"-DSOURCE={zlib.crc32(source.read_bytes())}u"  # so that a library of another source is not used
    command = [*compiler, *FLAGS, told, *shlex.split(os.environ.get("CFLAGS", "")), "-o", str(made), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        made.unlink(missing_ok=True)
        print(f"The compiled kernel was not built, so matching is slower:\n{done.stderr}", file=sys.stderr)
        return False
    made.replace(built)
    return True
