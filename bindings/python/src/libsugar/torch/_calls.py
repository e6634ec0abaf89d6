"""Functional calls in a model's forward, such as F.relu(x), replaced while it runs.

A module whose calls are to be replaced gets a class of its own, a subclass of the one it had, whose forward enters a
TorchFunctionMode around the former forward. That sees a call however it is spelled and wherever it stands, in a helper
or under a condition; torch.compile and torch.export trace through it; and as the subclass is known by its base,
isinstance, deepcopy and pickle go on as before. torch.fx could not follow conditions, and functions with other globals
would miss methods such as x.relu() and helpers.
"""

from __future__ import annotations

import functools
import sys
import threading
from typing import Any, Callable, NamedTuple, Optional

import torch
from torch._ops import HigherOrderOperator
from torch.overrides import TorchFunctionMode

from ._function import activation
from ._gates import METHOD, gate, rewritten
from ._operations import described
from ._spellings import FUNCTIONS, Spelled, Unlike, kinds_of_function, spelled_call


class Target(NamedTuple):
    """What activations of a kind become. `surrogate`: of a spec that is of that kind itself, and names no arguments of
    its own, what stands behind them, such as "~silu"; the model's arguments go before it. Else None."""

    spec: str
    surrogate: str | None

    def spec_for(self, found: Spelled) -> str:
        return self.spec if self.surrogate is None else found.spec + self.surrogate


def target(spec: str, kind: str) -> Target:
    forward, tilde, surrogate = spec.partition("~")
    same = described(spec, None).info.forward.kind == kind and "(" not in forward
    return Target(spec, tilde + surrogate if same else None)


class Calls(NamedTuple):
    """What the calls in a module's forward become, by the names of their kinds; how backward saves; and whether a
    call that writes over its input goes on to do so. A shield leaves calls as they are: in modules that are activations
    themselves, whose formulas are not to be replaced. `gates` are the activations among a module's attributes whose
    products with other tensors are to be computed in one pass, beside those of calls; None: no products are."""

    targets: dict[str, Target]
    save: str = "input"
    keep_inplace: bool = True
    shield: bool = False
    gates: Optional[tuple[str, ...]] = None


class State(threading.local):
    """Of this thread: whether the mode is entered, and what the innermost wrapped forward says."""

    entered = False
    calls = Calls({})
    training = False


state = State()


def written_over(x: torch.Tensor, made: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    """An activation in place: others see x change. The copy is what backward saves."""
    return x.copy_(made(x.clone()))


class Mode(TorchFunctionMode):
    """Replaces the calls that `state` names."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if isinstance(function, HigherOrderOperator):
            # Functions are bodies to trace; a class is that of an autograd.Function, which torch.func is to know.
            bodies = [under_mode(one) if callable(one) and not isinstance(one, type) else one for one in args]
            return function(*bodies, **kwargs)
        if function in FUNCTIONS and state.calls.targets:
            return replaced(function, args, kwargs, state.calls, state.training)
        return function(*args, **kwargs)


def under_mode(body: Any) -> Any:
    """What torch.compile is to trace in a checkpoint, a torch.cond or the like. It gives the mode the operator as a
    whole, and traces the body without it; entering it again is a side effect, harmless here as it ends with the body.
    """

    # PyTorch's own hatch, in no public place; imported late, as _dynamo takes a second.
    from torch._dynamo.utils import _disable_side_effect_safety_checks_for_current_subtracer as unsafe

    def entered(*args: Any, **kwargs: Any) -> Any:
        with Mode():
            return body(*args, **kwargs)

    def unchecked(*args: Any, **kwargs: Any) -> Any:
        return unsafe(entered, *args, **kwargs)

    return unchecked


def replaced(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], calls: Calls, training: bool) -> Any:
    if not any(kind in calls.targets for kind in kinds_of_function(function)) or "out" in kwargs:
        return function(*args, **kwargs)        # with out= PyTorch has no gradient at all
    x = args[0] if args else kwargs["input"]
    options = {name: value for name, value in kwargs.items() if name != "input"}
    try:
        found = spelled_call(function, args[1:], options)
    except Unlike as reason:
        raise ValueError(f"{FUNCTIONS[function][0]} in a converted forward: {reason}; restore(model), and convert it "
                         "without that kind") from None
    if found.kind not in calls.targets or not x.is_floating_point():
        return function(*args, **kwargs)
    if not torch.compiler.is_compiling():
        refuse_checkpoint(function)
    spec = calls.targets[found.kind].spec_for(found)
    if found.inplace and calls.keep_inplace:
        return written_over(x, lambda copy: activation(copy, spec, training=training, save=calls.save))
    return activation(x, spec, training=training, save=calls.save)


def refuse_checkpoint(function: Any) -> None:
    """A checkpoint computes its function again in the backward pass, where no forward of a module runs. The call would
    be PyTorch's then, and the gradient wrong without a word."""
    frame: Any = sys._getframe()
    while frame is not None and not (frame.f_code.co_name == "wrapped_forward" and frame.f_globals is globals()):
        if frame.f_globals.get("__name__") == "torch.utils.checkpoint":
            raise RuntimeError(f"{FUNCTIONS[function][0]}: called in a function under torch.utils.checkpoint, expected "
                               "in the forward of a module that the checkpoint calls; make a module of that function")
        frame = frame.f_back


# ---- Modules with wrapped forwards ---------------------------------------------------------------------------------


def wrap(module: Any, calls: Calls) -> None:
    """From now on, calls in the module's forward are replaced as `calls` says."""
    base: Any = type(module)
    module.__class__ = wrapping(base, calls.gates)
    module.__dict__["_libsugar_calls"] = calls


def unwrap(module: Any) -> None:
    module.__class__ = type(module)._libsugar_base
    del module.__dict__["_libsugar_calls"]


def is_wrapped(module: Any) -> bool:
    return hasattr(type(module), "_libsugar_base")


@functools.lru_cache(maxsize=None)
def wrapping(base: Any, gates: tuple[str, ...] | None = None) -> Any:
    """The subclass of a module's class, whose objects are wrapped. There is one for each class, and for the products
    that are to be computed in one pass."""
    forward = base.forward if gates is None else rewritten(base.forward, gates)[0]

    @functools.wraps(base.forward)
    def wrapped_forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        outer = state.entered, state.calls, state.training
        calls = self._libsugar_calls
        products_alone = calls.gates is not None and not calls.targets
        entering = not (state.entered or calls.shield or products_alone)
        state.entered, state.calls, state.training = state.entered or entering, calls, self.training
        try:
            if not entering:
                return forward(self, *args, **kwargs)
            with Mode():
                return forward(self, *args, **kwargs)
        finally:
            state.entered, state.calls, state.training = outer

    names = {"forward": wrapped_forward, "_libsugar_base": base, METHOD: gate, "__reduce_ex__": reduce_wrapped,
             "__module__": base.__module__, "__qualname__": base.__qualname__, "__doc__": base.__doc__}
    return type(base)(base.__name__, (base,), names)


def reduce_wrapped(module: Any, protocol: int) -> Any:
    """For copy and pickle: the class is made again from its base."""
    state = module.__getstate__() if hasattr(module, "__getstate__") else module.__dict__
    return empty, (type(module)._libsugar_base, module._libsugar_calls.gates), state


def empty(base: Any, gates: tuple[str, ...] | None = None) -> Any:
    made = wrapping(base, gates)
    return made.__new__(made)


def wrappable(module: Any) -> str | None:
    """None, or why a module's forward cannot be wrapped."""
    found = type(module)
    if isinstance(module, torch.jit.ScriptModule):
        return "compiled by TorchScript"
    if "forward" in vars(module):
        return "its forward is set on the object, not by its class"
    own = [name for name in ("__reduce__", "__reduce_ex__") if getattr(found, name) is not getattr(object, name)]
    own += [name for name in ("__copy__", "__deepcopy__") if hasattr(found, name)]
    return f"its class copies itself ({own[0]}), which would lose the replacement" if own else None
