"""Activations as modules."""

from __future__ import annotations

from operator import index
from typing import Any, SupportsIndex

import torch

from .._catalogue import Function
from .._monitor import Monitor, restored
from .._tables import table_of, tabulated
from ._function import apply, is_compiling
from ._fused import HALVES, fused_halves
from ._names import spec_of
from ._operations import described, spelled, with_blend

# Leaves for torch.fx, which cannot follow what depends on shapes.
torch.fx.wrap("apply")
torch.fx.wrap("apply_by_channel")
torch.fx.wrap("fused_halves")


class KeepsTable(torch.nn.Module):
    """A module whose table, if its spec has one, is kept with it in copies and files."""

    _table: Any = None

    def __setstate__(self, state: dict[str, Any]) -> None:
        if state.get("_table") is not None:
            tabulated("table", state["_table"])
        super().__setstate__(state)


class Activation(KeepsTable):
    """An activation as a module.

    spec              such as "relu~bsilu(alpha=1.67)"
    level             the instruction set; None: the best
    save              what backward is computed from: "input", the module's input; "byte" or "bit", the derivative in
                      one byte or one bit for each element, which takes less memory (eager, on the CPU)
    learn             whether the forward function's parameter is an nn.Parameter, `parameter`. None: for prelu
    num_parameters    1, or one for each channel
    axis              where the channels lie in the input
    monitor           counts the inputs in passing; may be set and removed as the attribute of that name
    table             the function that the spec calls "table": n x 3, of a knot, the value there and the slope there

    In train() rrelu draws a slope for each element, from PyTorch's generator. In eval() an exported module is the
    forward function alone. `blend`, the share of the surrogate in the gradient, may be set at any time, as by a
    schedule. The state_dict holds the parameter that is learned, and nothing else.
    """

    _blend: torch.Tensor

    def __init__(self, spec: str, level: str | None = None, save: str = "input", learn: bool | None = None,
                 num_parameters: int = 1, axis: int = 1, monitor: Monitor | None = None, table: Any = None) -> None:
        super().__init__()
        if table is not None:
            spec = tabulated(spec, table)
        known = described(spec, level)
        if save not in ("input", "byte", "bit"):
            raise ValueError(f"save: {save!r}, expected 'input', 'byte' or 'bit'")
        if learn is None:
            learn = known.info.forward.kind == "prelu" or num_parameters != 1
        if learn and not known.learns:
            raise ValueError(f"learn: True, expected False: {known.info.forward.kind} has no parameter to learn")
        if learn and save != "input":
            raise ValueError(f"save: {save!r}, expected 'input': the gradient of the parameter is computed from x")
        if num_parameters < 1:
            raise ValueError(f"num_parameters: {num_parameters}, expected 1 or more")
        self.level, self.save, self.axis, self.monitor = level, save, axis, monitor
        self._spec = known.info.spec
        self._table = table_of(self._spec)
        # Once `blend` has been set, graphs take the share from its tensor, and the spec from here, where it never
        # changes: a schedule makes one new graph. Until then they need not compute the forward function's own
        # derivative.
        self._spec_in_graphs: str | None = None
        value = known.own_parameters[0] if learn else 0.0
        self.parameter = torch.nn.Parameter(torch.full((num_parameters,), value)) if learn else None
        # Not persistent: a model has the same state_dict with libsugar's activations as without.
        self.register_buffer("_blend", share(known.info.blend, torch.get_default_device()), persistent=False)
        self._own_blend = self._blend

    @property
    def spec(self) -> str:
        """The canonical spec. Of a parameter that is learned it has the first value."""
        return self._spec

    @property
    def blend(self) -> float:
        """The share of the surrogate's derivative in the gradient, from 0 to 1; 0 without a surrogate."""
        return described(self._spec, self.level).info.blend

    @blend.setter
    @torch.compiler.disable(reason="libsugar: blend is set outside of graphs")      # PyTorch 2.13 would lose fill_
    def blend(self, value: float) -> None:
        self._spec_in_graphs = self._spec_in_graphs or self._spec
        self._spec = with_blend(self._spec, float(value))
        self._blend.fill_(float(value))

    def _apply(self, *arguments: Any, **more: Any) -> Activation:
        """to(), half(), to_empty() and their like: the share stays what the spec says."""
        super()._apply(*arguments, **more)
        self._own_blend = self._blend = share(self.blend, self._blend.device)
        return self

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        spec, blend = self._spec, None
        if self._buffers["_blend"] is not self._own_blend:
            blend = self._blend         # another module's, from torch.func.functional_call
        elif self._spec_in_graphs is not None and is_compiling():
            spec, blend = self._spec_in_graphs, self._blend
        parameter = self.parameter
        if parameter is None:
            return apply(x, spec, None, blend, self.training, self.save, self.monitor, self.level)
        return apply_by_channel(x, spec, parameter, self.axis, blend, self.training, self.save, self.monitor,
                                self.level)

    def is_spec_alone(self) -> bool:
        """Whether its spec says all that it does."""
        return (self.parameter is None and self.save == "input" and self.monitor is None
                and self._buffers["_blend"] is self._own_blend)

    def extra_repr(self) -> str:
        said = [f'"{self._spec}"']
        if self.save != "input":
            said.append(f'save="{self.save}"')
        if self.parameter is not None:
            said.append("learn=True" if self.parameter.numel() == 1 else f"num_parameters={self.parameter.numel()}")
        return ", ".join(said)


def share(blend: float, device: torch.device) -> torch.Tensor:
    """blend for graphs; Apple's GPUs have no float64, neither for this nor for x."""
    return torch.full((), blend, dtype=torch.float32 if device.type == "mps" else torch.float64, device=device)


def apply_by_channel(x: torch.Tensor, spec: str, parameter: torch.Tensor, axis: int, *rest: Any) -> torch.Tensor:
    if parameter.numel() > 1:
        parameter = parameter.view(channels(parameter.numel(), x, axis))
    elif x.dim() == 0:
        parameter = parameter.view(())
    return apply(x, spec, parameter, *rest)


def channels(count: int, x: torch.Tensor, axis: int) -> list[int]:
    """The shape of a parameter with one value for each channel, which broadcasts to x."""
    if not -x.dim() <= axis < x.dim() or x.shape[axis] != count:
        raise ValueError(f"x: shape {tuple(x.shape)}, expected {count} channels in axis {axis}, like the parameter")
    shape = [1] * x.dim()
    shape[axis] = count
    return shape


class BSiLU(Activation):
    """(x + alpha) s(x) - alpha/2, with its own gradient; arXiv 2505.22074."""

    def __init__(self, alpha: float = 1.67, **options: Any) -> None:
        super().__init__(f"bsilu(alpha={float(alpha)})", **options)


class NeLU(Activation):
    """x where x > 0, else alpha x^2 / (1 + x^2), with its own gradient; arXiv 2505.22074. (Copies in public code have
    the value -alpha / (1 + x^2) for every x, which has the same derivative where x < 0, and is used behind Sugar.)"""

    def __init__(self, alpha: float = 0.05, **options: Any) -> None:
        super().__init__(f"nelu(alpha={float(alpha)})", **options)


class Sugar(Activation):
    """One function forward, and where x <= 0 the derivative of another one backward.

    forward_fn, backward_fn    each a spec without a surrogate, such as "relu", or a module that computes one: of
                               torch.nn or of libsugar.torch
    domain                     "negative"; "all": the derivative of backward_fn for every x
    """

    def __init__(self, forward_fn: str | torch.nn.Module = "relu", backward_fn: str | torch.nn.Module = "bsilu",
                 domain: str = "negative", **options: Any) -> None:
        first, second = simple(forward_fn, "forward_fn"), simple(backward_fn, "backward_fn")
        made = spelled(second.kind, {**second.parameters, "domain": domain})
        super().__init__(f"{spelled(first.kind, first.parameters)}~{made}", **options)


class ReluNelu(Sugar):
    """ReLU forward, the derivative of NeLU backward."""

    def __init__(self, alpha: float = 0.05, **options: Any) -> None:
        super().__init__("relu", f"nelu(alpha={float(alpha)})", **options)


def simple(given: str | torch.nn.Module, argument: str) -> Function:
    """One function, as a kind with its parameters."""
    if isinstance(given, Activation) and given.parameter is not None:
        raise ValueError(f"{argument}: {given}, expected a module that learns no parameter, which would be lost; give "
                         "its spec")
    spec = given if isinstance(given, str) else given.spec if isinstance(given, Activation) else spec_of(given)
    if spec is None:
        raise ValueError(f"{argument}: {type(given).__name__}, expected a module of one of libsugar's functions, or "
                         "its name")
    info = described(spec, None).info
    if info.surrogate is not None:
        raise ValueError(f"{argument}: {spec}, expected a function without a surrogate")
    return info.forward


class GatedLinearUnit(KeepsTable):
    """The activation of one half of the input times the other half.

    spec         the activation, such as "silu" or "relu~bsilu"; one that learns no parameter
    dim          along which the input is halved; its extent is even
    activated    "first": f(first) * second; "second": first * f(second), as torch.nn.GLU has it with "sigmoid"
    level        as in Activation

    The halves are not copied. It has no state.
    """

    def __init__(self, spec: str, dim: int = -1, activated: str = "first", level: str | None = None) -> None:
        super().__init__()
        known = described(spec, level)
        if not isinstance(dim, SupportsIndex):
            raise TypeError(f"dim: {dim!r}, expected an int")
        if activated not in HALVES:
            raise ValueError(f"activated: {activated!r}, expected 'first' or 'second'")
        if known.info.forward.kind == "prelu":
            raise ValueError("spec: prelu, expected a kind without a parameter to learn; gate an Activation's output")
        self.spec, self.dim, self.activated, self.level = known.info.spec, index(dim), activated, level
        self._table = table_of(self.spec)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return fused_halves(x, self.dim, self.activated, self.spec, self.training, self.level)

    def extra_repr(self) -> str:
        said = [f'"{self.spec}"']
        if self.dim != -1:
            said.append(f"dim={self.dim}")
        if self.activated != "first":
            said.append(f'activated="{self.activated}"')
        return ", ".join(said)


class SwiGLU(GatedLinearUnit):
    """silu(first) * second; arXiv 2002.05202."""

    def __init__(self, beta: float = 1.0, **options: Any) -> None:
        super().__init__(f"silu(beta={float(beta)})", **options)


class GEGLU(GatedLinearUnit):
    """gelu(first) * second; arXiv 2002.05202. approximate: "none" or "tanh", as in torch.nn.GELU."""

    def __init__(self, approximate: str = "none", **options: Any) -> None:
        if approximate not in ("none", "tanh"):
            raise ValueError(f"approximate: {approximate!r}, expected 'none' or 'tanh'")
        super().__init__("gelu" if approximate == "none" else "gelu_tanh", **options)


class ReGLU(GatedLinearUnit):
    """relu(first) * second, or with a surrogate behind relu; arXiv 2002.05202."""

    def __init__(self, surrogate: str | None = None, **options: Any) -> None:
        super().__init__("relu" if surrogate is None else f"relu~{surrogate}", **options)


# What torch.load may make with weights_only=True.
torch.serialization.add_safe_globals([Activation, BSiLU, NeLU, Sugar, ReluNelu, GatedLinearUnit, SwiGLU, GEGLU, ReGLU,
                                      Monitor, restored])
