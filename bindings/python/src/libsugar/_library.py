"""Finds and loads the shared library: SUGAR_LIBRARY, then what lies in this package, then the system's."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path


def load(abi_version: int) -> ctypes.CDLL:
    """Loads the library whose ABI is `abi_version`. An ImportError says what was tried."""
    soname = f"libsugar.so.{abi_version}"
    inside = Path(__file__).parent / soname
    path = os.environ.get("SUGAR_LIBRARY") or (str(inside) if inside.exists() else soname)
    try:
        return ctypes.CDLL(path)
    except OSError as error:
        raise ImportError(f"libsugar: '{path}' cannot be loaded ({error}); expected SUGAR_LIBRARY to be the path "
                          f"of {soname}, or libsugar to be installed") from error
