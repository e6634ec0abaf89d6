"""What there is: kinds and their parameters, and instruction sets."""

from __future__ import annotations

from typing import Any, NamedTuple

from . import _lowlevel as c
from ._errors import check


class Parameter(NamedTuple):
    """One parameter of a kind: minimum <= value <= maximum.

    learnable    whether it may be an array, the `parameter` of a call
    not_above    the name of the parameter of the same kind that its value may not exceed; None: there is none
    """

    name: str
    default_value: float
    minimum: float
    maximum: float
    learnable: bool
    not_above: str | None


class Kind(NamedTuple):
    """One function of the catalogue.

    roles           "forward" (before the ~), "surrogate" (after it)
    value           the formula of f(x); None for a surrogate only
    derivative      that of f'(x)
    source          where it comes from
    capabilities    of "learn", "start_from_output", "save_byte", "save_bit", "draw", "differentiate_twice": what calls
                    can do with it
    """

    name: str
    alias: str | None
    roles: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    value: str | None
    derivative: str | None
    source: str
    capabilities: tuple[str, ...]


class Function(NamedTuple):
    """A kind, by its name, with the values of its parameters, by theirs."""

    kind: str
    parameters: dict[str, float]


class Info(NamedTuple):
    """What an activation is.

    surrogate              None: there is none
    domain                 of the surrogate: "all" or "negative"; "all" without one
    blend                  the share of the surrogate's derivative; 0 without one
    uses_own_derivative    whether the backward pass uses f'. If not, a `parameter` may stand beside a saved_gradient
    capabilities           of "learn", "start_from_output", "save_byte", "save_bit", "draw", "differentiate_twice": what
                           calls accept, in every element type
    gradient_minimum, gradient_maximum    the bounds of what the backward pass multiplies dy with
    """

    spec: str
    level: str
    forward: Function
    surrogate: Function | None
    domain: str
    blend: float
    uses_own_derivative: bool
    capabilities: tuple[str, ...]
    gradient_minimum: float
    gradient_maximum: float


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
    not_above = parameter(kind_index, found.not_above).name if found.not_above >= 0 else None
    return Parameter(text(found.name) or "", found.default_value, found.minimum, found.maximum, bool(found.learnable),
                     not_above)


def info(found: c.sugar_activation_info) -> Info:
    surrogate = function(found.surrogate_kind, found.surrogate_parameters) if found.surrogate_kind >= 0 else None
    return Info(text(found.spec) or "", text(found.level) or "",
                function(found.forward_kind, found.forward_parameters), surrogate,
                "negative" if found.domain == c.SUGAR_DOMAIN_NEGATIVE else "all", found.blend,
                bool(found.uses_own_derivative), flags("SUGAR_CAN_", found.capabilities), found.gradient_minimum,
                found.gradient_maximum)


def function(kind_index: int, values: Any) -> Function:
    found = kind(kind_index)
    return Function(found.name, {one.name: values[i] for i, one in enumerate(found.parameters)})


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
