"""Finds and loads the shared libraries: SUGAR_LIBRARY, then what lies in this package, then the system's."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Any


class Library(ctypes.CDLL):
    """The library whose ABI is `abi_version`. If it is not there, or is another one, an ImportError says what was
    tried."""

    def __init__(self, abi_version: int) -> None:
        self.soname = f"libsugar.so.{abi_version}"
        inside = Path(__file__).parent / self.soname
        self.path = os.environ.get("SUGAR_LIBRARY") or (str(inside) if inside.exists() else self.soname)
        try:
            super().__init__(self.path)
        except OSError as error:
            raise self.failure(f"cannot be loaded ({error})") from error
        if not loaded_as(self.soname):
            raise self.failure(f"does not call itself {self.soname}: it is another library, or has another ABI")

    def function(self, name: str) -> Any:
        """A function of the library, declared by nobody yet."""
        try:
            return self[name]
        except AttributeError as error:
            raise self.failure(f"has no {name}: it is another library, or an older one") from error

    def failure(self, what: str) -> ImportError:
        return ImportError(f"libsugar: '{self.path}' {what}; expected SUGAR_LIBRARY to be the path of {self.soname}, "
                           "or libsugar to be installed", path=self.path)


def loaded_as(soname: str) -> bool:
    """Whether a library that gives itself this name is in the process; only glibc's loader tells."""
    if not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"):
        return True
    try:
        ctypes.CDLL(soname, os.RTLD_NOLOAD)
    except OSError:
        return False
    return True


def load_frameworks() -> ctypes.CDLL:
    """Loads what PyTorch and JAX call: SUGAR_FRAMEWORKS, or what lies in this package. It calls the library that is
    loaded already, which the linker finds by its name. An ImportError says what was tried."""
    path = os.environ.get("SUGAR_FRAMEWORKS") or str(Path(__file__).parent / "libsugar_frameworks.so")
    try:
        return ctypes.CDLL(path)
    except OSError as error:
        raise ImportError(f"libsugar: '{path}' cannot be loaded ({error}); expected SUGAR_FRAMEWORKS to be the path "
                          "of libsugar_frameworks.so, or libsugar to be installed by pip") from error
