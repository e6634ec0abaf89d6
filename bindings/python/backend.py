"""How pip builds the package: meson-python, whose wheels then get the tag that fits what is in them.

The libraries inside are loaded by ctypes and know nothing of Python, so a wheel serves every Python 3 of its platform.
meson-python takes any library within a package for an extension module, which serves one.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import mesonpy
from mesonpy import (  # noqa: F401: hooks of PEP 517 that stay as they are
    build_editable, build_sdist, get_requires_for_build_editable, get_requires_for_build_sdist,
    get_requires_for_build_wheel)


def build_wheel(wheel_directory: str, config_settings: dict[str, Any] | None = None,
                metadata_directory: str | None = None) -> str:
    made = Path(wheel_directory) / mesonpy.build_wheel(wheel_directory, config_settings, metadata_directory)
    tagged = subprocess.run(
        [sys.executable, "-m", "wheel", "tags", "--remove", "--python-tag=py3", "--abi-tag=none", made],
        check=True, stdout=subprocess.PIPE, text=True)
    return tagged.stdout.strip()
