"""What the tests of libsugar.torch share: the activations, the inputs, and the C library's results beside others."""

from __future__ import annotations

import math
from typing import Any, Callable, Sequence

import libsugar
import torch
import torch.utils._pytree
from libsugar import _errors, _tensor
from libsugar import _lowlevel as c

TYPES = (torch.float64, torch.float32, torch.float16, torch.bfloat16)
CATALOGUE = [kind for kind in libsugar.catalogue() if kind.name != "table"]      # of specs alone
FORWARD = [kind.name for kind in CATALOGUE if "forward" in kind.roles]
LEARNING = [kind.name for kind in CATALOGUE if "learn" in kind.capabilities]

# Every kind: as itself, or as a surrogate if it is nothing else; and every way of combining two.
SPECS = [kind.name if "forward" in kind.roles else f"relu~{kind.name}" for kind in CATALOGUE] + [
    "heaviside(threshold=0.3)~atan_spike", "heaviside(threshold=-1)~multi_gaussian_spike", "sign~triangle_spike",
    "relu~bsilu", "relu~bsilu(domain=negative)", "relu~bsilu(blend=0.3)", "gelu~elu(blend=0.5, domain=negative)",
    "relu_squared~silu", "silu(beta=1.7)~relu_squared(blend=0)", "relu~nelu(alpha=0.3)", "elu(alpha=1.3)",
    "silu(beta=0.37)", "softplus(beta=3.1)", "celu(alpha=0.6)"]


def points(dtype: torch.dtype, count: int = 600) -> torch.Tensor:
    """Numbers of every size, and all that are special."""
    generator = torch.Generator().manual_seed(1)
    limits = torch.finfo(dtype)
    near = 3 * torch.randn(count // 3, generator=generator, dtype=torch.float64)
    far = 60 * torch.rand(count // 3, generator=generator, dtype=torch.float64) - 30
    sizes = 160 * torch.rand(count // 3, generator=generator, dtype=torch.float64) - 80
    wide = torch.exp(sizes) * torch.where(torch.rand(count // 3, generator=generator) < 0.5, -1, 1)
    special = torch.tensor([0.0, 1, 3, 6, 0.5, 40, math.inf, limits.max, limits.tiny, limits.smallest_normal / 4],
                           dtype=torch.float64)
    return torch.cat([near, far, wide, special, -special, torch.tensor([math.nan])]).to(dtype)


def in_c(spec: str, x: torch.Tensor, dy: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """The library's value, and dy g'(x), by the binding that knows nothing of libsugar.torch."""
    activation = libsugar.Activation(spec)
    y = activation.forward(x, torch.empty_like(x), threads=1)
    return y, activation.backward(x, torch.ones_like(x) if dy is None else dy, torch.empty_like(x), threads=1)


def in_c_twice(spec: str, x: torch.Tensor, dy: torch.Tensor, v: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The library's ddy = v g'(x) and dx = v dy g''(x), by its low-level function, of tensors in row-major order."""
    activation = libsugar.Activation(spec)
    ddy, dx = (torch.empty(x.shape, dtype=x.dtype) for _ in range(2))
    inputs = (_tensor.view(x, "x"), _tensor.view(dy, "dy"), _tensor.view(v, "v"))
    outputs = (_tensor.view(ddy, "ddy", True), _tensor.view(dx, "dx", True))
    _errors.check(c.sugar_backward_twice(activation._handle, *inputs, *outputs, None))
    return ddy, dx


def bound(expected: torch.Tensor) -> torch.Tensor:
    """How far a result may lie from the library's: 4 eps max(1, |result|) of the type that is computed in, and where
    the result is narrower one unit in its last place."""
    size = expected.double().abs()
    computed_in = torch.float64 if expected.dtype == torch.float64 else torch.float32
    allowed = 4 * torch.finfo(computed_in).eps * size.clamp(min=1)
    if expected.dtype != computed_in:
        limits = torch.finfo(expected.dtype)
        allowed += limits.eps * torch.exp2(torch.floor(torch.log2(size.clamp(min=limits.tiny))))
    return allowed


def difference(found: torch.Tensor, expected: torch.Tensor, allowed: torch.Tensor | None = None) -> str:
    """What is wrong with the result; empty if it agrees."""
    found, expected = found.detach(), expected.detach()
    if found.dtype != expected.dtype or found.shape != expected.shape:
        return f"{found.dtype} {tuple(found.shape)}, expected {expected.dtype} {tuple(expected.shape)}"
    if not torch.equal(found.isnan(), expected.isnan()):
        return f"NaN at {(found.isnan() != expected.isnan()).nonzero().flatten().tolist()}"
    infinite = expected.isinf()
    if not torch.equal(found[infinite], expected[infinite]):
        return f"{found[infinite].tolist()}, expected {expected[infinite].tolist()}"
    finite = expected.isfinite()
    if not bool(finite.any()):
        return ""
    allowed = (bound(expected) if allowed is None else allowed.expand(expected.shape))[finite]
    error = (found[finite].double() - expected[finite].double()).abs() / allowed
    worst = int(error.argmax())
    if error[worst] <= 1:
        return ""
    one, right = found[finite][worst].item(), expected[finite][worst].item()
    return f"{one!r}, expected {right!r}, off by {error[worst]:.3g} bounds"


def disagreements(specs: Sequence[str], x: torch.Tensor, values: Sequence[torch.Tensor] | None,
                  derivatives: Sequence[torch.Tensor] | None, dy: torch.Tensor | None = None) -> list[str]:
    """One line for each activation and result that is not the library's."""
    wrong = []
    for i, spec in enumerate(specs):
        expected = in_c(spec, x, dy)
        for what, found, right in zip(("value", "derivative"), (values, derivatives), expected):
            said = "" if found is None else difference(found[i], right)
            if said:
                wrong.append(f"{spec}, {x.dtype}, {what}: {said}")
    return wrong


def gradient(function: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor,
             dy: torch.Tensor | None = None) -> torch.Tensor:
    """dx, where function(x) has the gradient dy, or 1 everywhere."""
    x = x.detach().clone().requires_grad_()
    y = function(x)
    (dx,) = torch.autograd.grad(y, x, torch.ones_like(y) if dy is None else dy)
    return dx


def negative(*values: float, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """A tensor whose memory has the opposite sign: the negative bit says so, as in the gradient of a conjugate."""
    made = torch.complex(torch.zeros(len(values), dtype=dtype), torch.tensor(values, dtype=dtype).neg()).conj().imag
    assert made.is_neg()
    return made


class Logged(torch.Tensor):
    """A tensor that holds another, has no memory of its own, and sees each operation."""

    held: torch.Tensor

    @staticmethod
    def __new__(cls: Any, held: torch.Tensor) -> Logged:
        made: Logged = torch.Tensor._make_wrapper_subclass(cls, held.shape, dtype=held.dtype, strides=held.stride())
        made.held = held
        return made

    def __init__(self, held: torch.Tensor) -> None:
        self.held = held

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        def inside(tree: Any) -> Any:
            return torch.utils._pytree.tree_map_only(Logged, lambda one: one.held, tree)

        made = function(*inside(args), **inside(kwargs or {}))
        return torch.utils._pytree.tree_map_only(torch.Tensor, cls, made)
