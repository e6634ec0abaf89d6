"""How models spell the catalogue's kinds: modules and functions of PyTorch, and modules of transformers."""

from __future__ import annotations

from typing import Any, Callable, NamedTuple

import torch
import torch.nn.functional as F

from ._names import MODULES

Arguments = dict[str, Any]


class Unlike(ValueError):
    """Why an activation is not exactly a kind of the catalogue."""


class Spelled(NamedTuple):
    """What a module or a call says: its kind, the spec with the values that it gives, such as "elu(alpha=0.5)", and
    whether the result takes the place of the input."""

    kind: str
    spec: str
    inplace: bool = False


# ---- Modules -------------------------------------------------------------------------------------------------------

# The classes of transformers.activations, by name, so that they are known without importing it.
TRANSFORMERS = {
    "GELUActivation": "gelu", "GELUTanh": "gelu_tanh", "PytorchGELUTanh": "gelu_tanh", "NewGELUActivation": "gelu_tanh",
    "FastGELUActivation": "gelu_tanh", "AccurateGELUActivation": "gelu_tanh", "QuickGELUActivation": "silu(beta=1.702)",
    "SiLUActivation": "silu", "MishActivation": "mish", "ReLUSquaredActivation": "relu_squared",
}


def spec_of_module(module: Any) -> str | None:
    """What a module of PyTorch or transformers computes. None: it is no activation that the catalogue has."""
    found = getattr(type(module), "_libsugar_base", type(module))     # convert may have wrapped it
    if found is torch.nn.Identity:      # nobody means it by an activation
        return None
    if found is torch.nn.PReLU:
        return "prelu"
    if found.__module__ == "transformers.activations":
        return TRANSFORMERS.get(found.__name__)
    return MODULES[found](module) if found in MODULES else None


def kind_of_module(module: Any) -> str | None:
    spec = spec_of_module(module)
    return None if spec is None else spec.partition("(")[0]


def spelled_module(module: Any) -> Spelled | None:
    """A module as a spec says it, unless it is no activation."""
    spec, kind = spec_of_module(module), kind_of_module(module)
    if kind == "softplus":
        check_threshold(module.threshold)
    return Spelled(kind, spec, getattr(module, "inplace", False)) if spec and kind else None


def check_threshold(threshold: float) -> None:
    """softplus is x from there on. At 20 that is right to 2e-9."""
    if threshold < 20:
        raise Unlike(f"threshold: {threshold}, expected 20 or more: softplus that is x from there on has no kind")


# ---- Functions -----------------------------------------------------------------------------------------------------

# The arguments behind x, in PyTorch's order; beside each function of torch.nn.functional also the functions of that
# name in torch, the methods of tensors, and those with a _ behind it, which write over x. Not F.rrelu, which draws or
# not as its own argument says.
SIGNATURES: dict[str, tuple[str, ...]] = {
    "relu": ("inplace",), "relu6": ("inplace",), "threshold": ("threshold", "value", "inplace"),
    "leaky_relu": ("negative_slope", "inplace"), "elu": ("alpha", "inplace"), "celu": ("alpha", "inplace"),
    "selu": ("inplace",), "gelu": (), "silu": ("inplace",), "mish": ("inplace",), "softplus": ("beta", "threshold"),
    "softsign": (), "sigmoid": (), "logsigmoid": (), "tanh": (), "tanhshrink": (), "softshrink": ("lambd",),
    "hardshrink": ("lambd",), "hardtanh": ("min_val", "max_val", "inplace"), "hardsigmoid": ("inplace",),
    "hardswish": ("inplace",),
}
KINDS_OF_FUNCTIONS = {"logsigmoid": "log_sigmoid"}
NAMES_IN_SPECS = {"lambd": "lambda"}


def functions_named(name: str) -> list[Any]:
    places = (F, torch, torch.Tensor, torch.special, torch._C._nn)
    return [getattr(place, name) for place in places if hasattr(place, name)]


def all_functions() -> dict[Callable[..., Any], tuple[str, bool]]:
    """Every function that computes an activation: its name in SIGNATURES, and whether it writes over x."""
    found = {}
    for name in SIGNATURES:
        for inplace, written in ((False, name), (True, name + "_")):
            found.update({function: (name, inplace) for function in functions_named(written)})
    for function in functions_named("expit"):
        found[function] = ("sigmoid", False)
    return found


FUNCTIONS = all_functions()
METHODS = {name: getattr(torch.Tensor, name) for name in dir(torch.Tensor) if name.rstrip("_") in SIGNATURES}


def kinds_of_function(function: Any) -> tuple[str, ...]:
    """The kinds that a function may be, which its arguments decide."""
    name = FUNCTIONS[function][0]
    return ("gelu", "gelu_tanh") if name == "gelu" else (KINDS_OF_FUNCTIONS.get(name, name),)


def spelled_call(function: Any, args: tuple[Any, ...], kwargs: Arguments) -> Spelled:
    """A call of one of FUNCTIONS as a spec says it; args are those behind x."""
    name, inplace = FUNCTIONS[function]
    kind = KINDS_OF_FUNCTIONS.get(name, name)
    if not args and not kwargs:
        return Spelled(kind, kind, inplace)
    arguments = {**dict(zip(SIGNATURES[name], args)), **kwargs}
    inplace = bool(arguments.pop("inplace", False)) or inplace
    if kind == "gelu" and arguments.pop("approximate", "none") == "tanh":
        kind = "gelu_tanh"
    if kind == "softplus":
        check_threshold(arguments.pop("threshold", 20))
    options = ", ".join(f"{NAMES_IN_SPECS.get(name, name)}={float(value)}" for name, value in arguments.items())
    return Spelled(kind, f"{kind}({options})" if options else kind, inplace)
