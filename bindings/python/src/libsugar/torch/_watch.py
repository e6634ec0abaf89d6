"""watch: monitors at the activations of a model."""

from __future__ import annotations

import copy
import sys
from typing import Any, Mapping, NamedTuple, Union

import torch

from .._monitor import Monitor
from ._function import count, recomputed
from ._modules import Activation
from ._record import Figures, Layer, Record, figures
from ._source import known_calls
from ._spellings import kind_of_module

Axes = Union[None, int, Mapping[str, int]]


class Counted(NamedTuple):
    """A layer while it is watched: the window that is being filled, the first and the last full one."""

    activation: str
    now: Monitor
    first: Monitor | None
    last: Monitor | None
    history: list[Figures]


def watch(model: torch.nn.Module, *, every: int = 1, window: int = 100, training: bool = True, axis: Axes = None,
          threshold: float = 0.0, minimum: float = -8.0, maximum: float = 8.0, live: bool | None = None) -> Watch:
    """Counts what the activation modules of a model get to see, libsugar's, PyTorch's and those of transformers, from
    now on until close(), or the end of `with watch(model) as seen:`.

    every        counts in each so manyth call of the model
    window       so many of those calls are counted together; then begins the next window
    training     True: counts in train(); False: in eval()
    axis         where the units lie in the inputs: -1, or a dict from names of modules to such. None: the last axis,
                 and before the image in inputs of 4 and 5 dimensions, which are taken for NCHW and NCDHW
    threshold, minimum, maximum    as in libsugar.Monitor
    live         True: writes to stderr after each window, on a terminal the table in place of the last one, else one
                 line. None: on a terminal alone

    Calls such as F.relu(x) are no modules: the table names those that the model's source shows. Under torch.compile the
    hooks end graphs; with fullgraph=True they raise.
    """
    return Watch(model, every, window, training, axis, {"threshold": threshold, "minimum": minimum,
                                                        "maximum": maximum}, live)


class Watch:
    """What watch returns."""

    def __init__(self, model: torch.nn.Module, every: int, window: int, training: bool, axis: Axes,
                 options: dict[str, Any], live: bool | None) -> None:
        for name, value in (("every", every), ("window", window)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name}: {value!r}, expected a whole number from 1 on")
        self.every, self.window, self.training, self.axis, self.options = every, window, training, axis, options
        self.live = sys.stderr.isatty() if live is None else live
        self.step = self.counted = self.lines = 0
        self.counting = False
        self.layers: dict[str, Counted] = {}
        modules = {name: one for name, one in model.named_modules() if is_activation(one)}
        if not modules:
            raise ValueError(f"model: {type(model).__name__} has no activation among its modules, expected one or more")
        if isinstance(axis, Mapping):
            for name in axis.keys() - modules.keys():
                raise ValueError(f"axis: key {name!r}, expected the name of an activation, of {', '.join(modules)}")
        self.unseen = tuple(dict.fromkeys(f"{call.function} in {call.where}" for one in model.modules()
                                          if not is_activation(one) for call in known_calls(one)))
        Monitor(1, **options)       # refuses what is wrong now, not in the first step
        forget_graphs()
        self.handles = [model.register_forward_pre_hook(self.begin), model.register_forward_hook(self.end)]
        for name, one in modules.items():
            self.handles.append(one.register_forward_pre_hook(Hook(self, name), with_kwargs=True))

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def close(self) -> None:
        """Stops to count. What was counted stays."""
        for handle in self.handles:
            handle.remove()
        self.handles = []
        forget_graphs()

    # ---- Hooks ---------------------------------------------------------------------------------------------------

    @torch.compiler.disable(reason="libsugar: watch counts outside of graphs")
    def begin(self, model: Any, *arguments: Any) -> None:
        if model.training == self.training and not recomputed():
            self.counting = self.step % self.every == 0
            self.step += 1

    @torch.compiler.disable(reason="libsugar: watch counts outside of graphs")
    def end(self, *arguments: Any) -> None:
        if self.counting:
            self.counting = False
            self.counted += 1
            if self.counted % self.window == 0:
                self.turn()

    def observe(self, name: str, module: Any, x: torch.Tensor) -> None:
        axis = self.axis_of(name, x)
        units = x.shape[axis]
        known = self.layers.get(name)
        if known is not None and known.now.summary().units != units:
            name = f"{name} ({units})"      # one module for inputs of several widths
        if name not in self.layers:
            what = module.spec if isinstance(module, Activation) else type(module).__name__
            self.layers[name] = Counted(what, Monitor(units, axis, **self.options), None, None, [])
        count(self.layers[name].now, x)

    def axis_of(self, name: str, x: torch.Tensor) -> int:
        given = self.axis.get(name) if isinstance(self.axis, Mapping) else self.axis
        axis = given if given is not None else {4: -3, 5: -4}.get(x.dim(), -1)
        if not -x.dim() <= axis <= -1:
            raise ValueError(f"axis: {axis}, expected -1 to {-x.dim()}: {name} gets {tuple(x.shape)}")
        return axis

    def turn(self) -> None:
        """The end of a window."""
        for name, layer in self.layers.items():
            if layer.now.summary().samples:
                seen = copy.copy(layer.now)
                layer.now.reset()
                self.layers[name] = layer._replace(first=layer.first or seen, last=seen)
                layer.history.append(figures(self.step, seen))
        if self.live:
            self.show()

    def show(self) -> None:
        if sys.stderr.isatty():
            text = f"step {self.step}: {self.record().dead()}\n{self.table()}"
            up = f"\x1b[{self.lines}F\x1b[J" if self.lines else ""
            print(up + text, file=sys.stderr, flush=True)
            self.lines = text.count("\n") + 1
        else:
            print(f"step {self.step}: {self.record().dead()}", file=sys.stderr, flush=True)

    # ---- What was seen -------------------------------------------------------------------------------------------

    def record(self) -> Record:
        """What was counted: of each layer the last full window, or the one that is being filled if there is none."""
        made = {}
        for name, layer in self.layers.items():
            now = layer.last or copy.copy(layer.now)
            history = layer.history or [figures(self.step, now)]
            made[name] = Layer(layer.activation, layer.first or now, now, list(history))
        return Record(made, self.unseen)

    def merge(self, group: Any = None) -> Record:
        """The record of all processes of torch.distributed together, or of a group; each must call it."""
        records: list[Any] = [None] * torch.distributed.get_world_size(group)
        torch.distributed.all_gather_object(records, self.record(), group)
        return records[0].merged(records[1:])       # type: ignore[no-any-return]

    def table(self) -> str:
        return self.record().table()

    def plot(self) -> Any:
        return self.record().plot()

    def report(self, path: Any) -> None:
        self.record().report(path)

    __str__ = table


class Hook:
    """Before a module's forward. An object and no closure, so that a watched model can be copied and pickled."""

    def __init__(self, seen: Watch, name: str) -> None:
        self.seen, self.name = seen, name

    @torch.compiler.disable(reason="libsugar: watch counts outside of graphs")
    def __call__(self, module: Any, args: Any, kwargs: Any) -> None:
        if self.seen.counting:
            self.seen.observe(self.name, module, args[0] if args else next(iter(kwargs.values())))


def is_activation(module: Any) -> bool:
    return isinstance(module, Activation) or kind_of_module(module) is not None


def forget_graphs() -> None:
    """Compiled graphs have a model's hooks in them, and do not notice when these change."""
    if "torch._dynamo" in sys.modules:
        torch.compiler.reset()
