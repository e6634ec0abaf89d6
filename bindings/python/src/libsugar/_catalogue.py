"""What there is: kinds and their parameters, and instruction sets."""

from __future__ import annotations

from typing import Any, NamedTuple

from . import _lowlevel as c
from ._errors import check


class Parameter(NamedTuple):
    """One parameter of a kind: minimum <= value <= maximum."""

    name: str
    default_value: float
    minimum: float
    maximum: float


class Kind(NamedTuple):
    """One function of the catalogue.

    roles           "forward" (before the ~), "surrogate" (after it)
    value           the formula of f(x); None for a surrogate only
    derivative      that of f'(x)
    source          where it comes from
    capabilities    of "learn", "start_from_output", "save_byte", "save_bit", "draw": what calls can do with it
    """

    name: str
    alias: str | None
    roles: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    value: str | None
    derivative: str | None
    source: str
    capabilities: tuple[str, ...]


class Level(NamedTuple):
    """An instruction set: whether the library was compiled for it, whether this machine has it, and whether an
    activation gets it that names none."""

    name: str
    compiled: bool
    supported: bool
    in_use: bool


def text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


def flags(prefix: str, value: int) -> tuple[str, ...]:
    """The words for what is set of a group of constants."""
    constants: dict[str, Any] = vars(c)
    return tuple(name[len(prefix):].lower() for name, flag in constants.items()
                 if name.startswith(prefix) and value & flag)


def catalogue() -> list[Kind]:
    """All kinds of function, in the catalogue's order."""
    return [kind(index) for index in range(c.sugar_kind_count())]


def kind(index: int) -> Kind:
    found = c.sugar_kind()
    check(c.sugar_kind_get(index, found))
    return Kind(text(found.name) or "", text(found.alias), flags("SUGAR_ROLE_", found.roles),
                tuple(parameter(index, i) for i in range(found.parameter_count)), text(found.value),
                text(found.derivative), text(found.source) or "", flags("SUGAR_CAN_", found.capabilities))


def parameter(kind_index: int, index: int) -> Parameter:
    found = c.sugar_parameter()
    check(c.sugar_kind_get_parameter(kind_index, index, found))
    return Parameter(text(found.name) or "", found.default_value, found.minimum, found.maximum)


def levels() -> list[Level]:
    """The instruction sets that the library knows, the lowest first."""
    return [level(index) for index in range(c.sugar_level_count())]


def level(index: int) -> Level:
    found = c.sugar_level()
    check(c.sugar_level_get(index, found))
    return Level(text(found.name) or "", bool(found.compiled), bool(found.supported), bool(found.in_use))


def version() -> str:
    """The version of the library in use, such as "0.1.0"."""
    number = c.sugar_version()
    return f"{number // 10000}.{number // 100 % 100}.{number % 100}"
