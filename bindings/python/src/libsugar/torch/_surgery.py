"""convert: a model's activations replaced in place, its modules and the calls in its forwards; restore: undone."""

from __future__ import annotations

import difflib
import fnmatch
import warnings
from typing import Any, Callable, Mapping, NamedTuple, Union

import torch
from torch.nn.parallel import DistributedDataParallel

from .._catalogue import catalogue
from ._calls import Calls, is_wrapped, target, unwrap, wrap, wrappable, written_over
from ._gates import rewritten
from ._modules import Activation, GatedLinearUnit
from ._source import Call, known_calls
from ._spellings import Spelled, Unlike, kind_of_module, kinds_of_function, spelled_module

Key = Union[str, type]
Value = Union[str, Callable[[], torch.nn.Module]]

HALVING = (torch.nn.GLU, GatedLinearUnit)       # an activation in their place would keep the shape
UNIT = "a function that makes a libsugar.torch.GatedLinearUnit"


class InPlace(Activation):
    """An activation that writes over its input, as the module did in whose place it stands."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return written_over(x, super().forward)


class Line(NamedTuple):
    """Of a report: where an activation is, what it is, and what became of it or why nothing did."""

    where: str
    what: str
    result: str


class Report(NamedTuple):
    """What convert did; printed as a table."""

    replaced: tuple[Line, ...]
    left: tuple[Line, ...]

    def __str__(self) -> str:
        return "\n".join([*table("replaced", "by", self.replaced), *table("left as it is", "because", self.left)])


def table(first: str, last: str, lines: tuple[Line, ...]) -> list[str]:
    if not lines:
        return [f"{first}: nothing"]
    rows = [Line(first, "", last), *lines]
    widths = [max(len(row[i]) for row in rows) for i in (0, 1)]
    return [f"{row.where:{widths[0]}}  {row.what:{widths[1]}}  {row.result}".rstrip() for row in rows]


def convert(model: torch.nn.Module, mapping: Mapping[Any, Value], *, save: str = "input",
            keep_inplace: bool = True, fuse: bool = False) -> Report:
    """Replaces activations of a model, in place, and says which. The keys of its state_dict stay as they are.

    mapping         from a key to a spec, such as {"relu": "relu~bsilu", nn.GELU: "relu~nelu"}. Keys are
                    - a kind of the catalogue, "relu": modules that compute it, nn.ReLU or another, and in forwards
                      the calls that do, F.relu(x), torch.relu(x), x.relu(), with inplace or without;
                    - a class of modules: those of just that class;
                    - the name of a module in the model, "layer1.0.act", or a pattern, "layer1.*", which takes all
                      activations among those that it matches.
                    A name goes before a class, a class before a pattern, a pattern before a kind. Arguments that the
                    model gives, such as elu's alpha, are kept where the spec is of the same kind and names none.
                    In place of a spec: a function without arguments that makes a module, for modules alone. A
                    class that halves its input, such as nn.GLU, takes only that
    save            how backward saves, as in Activation
    keep_inplace    False: a module or call that writes over its input no longer does, which is faster, and wrong
                    where the model reads that input again
    fuse            True: gated units, self.act(a) * b or F.silu(a) * b in a forward whose activation is replaced, are
                    computed in one pass (in eager mode on the CPU; a compiler does so by itself)

    Nothing is changed if it raises. What it could not replace stands in the report, and a key that matches nothing is
    a warning. restore(model) undoes it.
    """
    plan = Plan(model, rules_of(model, mapping, save), save, keep_inplace, fuse)
    plan.warn_of_keys()
    plan.carry_out()
    return Report(tuple(plan.replaced), tuple(plan.left))


def restore(model: torch.nn.Module) -> None:
    """Gives back what convert replaced, with hooks and the state of training that they have by now."""
    if "_libsugar_former" in vars(model):
        raise ValueError("model: a module that convert put into another, expected the model that was converted")
    count = 0
    for module in list(model.modules()):
        for name, child in list(module._modules.items()):
            if child is not None and "_libsugar_former" in vars(child):
                (former,) = vars(child)["_libsugar_former"]
                former.train(child.training)
                module._modules[name] = former
                count += 1
    for module in model.modules():
        if is_wrapped(module):
            unwrap(module)
            count += 1
    if not count:
        raise ValueError(f"model: {type(model).__name__}, expected one that convert has changed")


# ---- Keys ----------------------------------------------------------------------------------------------------------


class Rules(NamedTuple):
    """The mapping, sorted by what its keys are."""

    names: dict[str, Value]
    classes: dict[type, Value]
    patterns: dict[str, Value]
    kinds: dict[str, Value]

    def find(self, name: str, module: Any) -> tuple[Key, Value] | None:
        """The key that a module falls under, and its value."""
        if name in self.names:
            return name, self.names[name]
        if type(module) in self.classes:
            return type(module), self.classes[type(module)]
        kind = kind_of_module(module)
        if kind is None and not isinstance(module, HALVING):
            return None
        for pattern, value in self.patterns.items():
            if fnmatch.fnmatchcase(name, pattern):
                return pattern, value
        return (kind, self.kinds[kind]) if kind is not None and kind in self.kinds else None


def rules_of(model: Any, mapping: Any, save: str) -> Rules:
    if not isinstance(model, torch.nn.Module):
        raise TypeError(f"model: {type(model).__name__}, expected a torch.nn.Module")
    if not isinstance(mapping, Mapping):
        raise TypeError(f"mapping: {type(mapping).__name__}, expected a dict from keys to specs")
    for name, module in model.named_modules():
        if is_wrapped(module) or "_libsugar_former" in vars(module):
            raise ValueError(f"model: {name or 'it'} is converted already, expected a model that is not; "
                             "restore(model) first, or give all keys in one call")
    names = dict(model.named_modules(remove_duplicate=False))
    kinds = {alias or kind.name: kind.name for kind in catalogue() for alias in (None, kind.alias)}
    rules = Rules({}, {}, {}, {})
    for key, value in mapping.items():
        checked_value(key, value, save)
        if isinstance(key, type) and issubclass(key, torch.nn.Module):
            rules.classes[key] = value
        elif not isinstance(key, str):
            raise TypeError(f"mapping: key {key!r}, expected a kind, a class of modules, or a name")
        elif key in kinds:
            rules.kinds[kinds[key]] = value
        elif key in names:
            rules.names[key] = value
        elif any(fnmatch.fnmatchcase(name, key) for name in names):
            rules.patterns[key] = value
        else:
            close = difflib.get_close_matches(key, [*kinds, *names], 1)
            raise ValueError(f"mapping: key {key!r}, expected a kind of libsugar.catalogue(), a class of modules, or a "
                             "name or pattern of the model's modules" + (f"; is it {close[0]!r}?" if close else ""))
    return rules


def checked_value(key: Any, value: Any, save: str) -> None:
    if isinstance(value, str):
        Activation(value, save=save)
        if isinstance(key, type) and issubclass(key, HALVING):
            raise ValueError(f"mapping: key {key.__name__}, which halves its input: {value!r}, expected {UNIT}")
    elif not callable(value) or isinstance(value, torch.nn.Module):
        raise TypeError(f"mapping: value of {key!r}: {type(value).__name__}, expected a spec, or a function without "
                        "arguments that makes a module")


# ---- The plan ------------------------------------------------------------------------------------------------------


class Plan:
    """What is to be done, found out before anything is."""

    def __init__(self, model: torch.nn.Module, rules: Rules, save: str, keep_inplace: bool, fuse: bool) -> None:
        self.model, self.rules, self.save, self.keep_inplace, self.fuse = model, rules, save, keep_inplace, fuse
        self.replaced: list[Line] = []
        self.left: list[Line] = []
        self.places: list[tuple[Any, str, Any]] = []        # parent, name, what stands there from now on
        self.wraps: list[Any] = []
        self.gates: dict[int, tuple[str, ...]] = {}         # by id: modules with gated units, and their activations
        self.matched: set[Any] = set()
        self.made: dict[int, Any] = {}                      # by id: a module that stands in two places stays one
        self.targets = {kind: target(value, kind) for kind, value in rules.kinds.items() if isinstance(value, str)}
        for path, module in model.named_modules(remove_duplicate=False):
            for name, child in module._modules.items():
                if child is not None:
                    self.look_at_child(module, name, f"{path}.{name}" if path else name, child)
        for path, module in model.named_modules():
            self.look_at_calls(path or "(the model)", module)
        if rules.find("", model) is not None:
            raise ValueError(f"model: {type(model).__name__} is itself an activation, expected a model that holds it")

    def look_at_child(self, parent: Any, name: str, path: str, child: Any) -> None:
        found = self.rules.find(path, child)
        if found is None:
            return
        key, value = found
        self.matched.add(key)
        what = type(child).__name__
        if id(child) not in self.made:
            try:
                if isinstance(child, HALVING) and (isinstance(value, str) or key in self.rules.patterns):
                    raise Unlike(f"it halves its input; for its class or name give {UNIT}")
                self.made[id(child)] = self.module_for(parent, child, value)
            except Unlike as reason:
                self.left.append(Line(path, what, str(reason)))
                return
        made = self.made[id(child)]
        self.places.append((parent, name, made))
        self.replaced.append(Line(path, what, made.spec if isinstance(made, Activation) else type(made).__name__))

    def module_for(self, parent: Any, old: Any, value: Value) -> Any:
        """The module in the place of another, with its hooks, and on the device of its neighbours."""
        if isinstance(old, torch.jit.ScriptModule):
            raise Unlike("compiled by TorchScript")
        if next(old.children(), None) is not None:
            raise Unlike("it holds other modules; name those")
        if old.state_dict():
            raise Unlike("it has a state of its own, which the state_dict would lose")
        made = self.activation_for(old, value) if isinstance(value, str) else value()
        if not isinstance(made, torch.nn.Module):
            raise TypeError(f"mapping: a function made a {type(made).__name__}, expected a torch.nn.Module")
        device = next((one.device for module in (parent, self.model) for one in module.parameters()), None)
        made.to(device).train(old.training)
        if any(isinstance(one, DistributedDataParallel) for one in self.model.modules()) and made.state_dict():
            raise ValueError("mapping: a function made a module with parameters, which DistributedDataParallel would "
                             "not see, expected convert before it")
        for name, hooks in vars(old).items():
            if "hook" in name:          # the same dictionaries, so that handles go on removing hooks
                made.__dict__[name] = hooks
        made.__dict__["_libsugar_former"] = (old,)      # in a tuple, so that it is no child
        return made

    def activation_for(self, old: Any, spec: str) -> Activation:
        found = spelled_module(old) or Spelled("", "")
        kind = InPlace if found.inplace and self.keep_inplace else Activation
        return kind(target(spec, found.kind).spec_for(found), save=self.save)

    def look_at_calls(self, path: str, module: Any) -> None:
        """Whether calls in a module's forward are to be replaced, and what its source says of them."""
        if id(module) in self.made or kind_of_module(module) or isinstance(module, Activation):
            return
        inside = self.asked(hidden_kinds(module))
        if inside:
            self.matched.update(inside)
            self.left.append(Line(path, type(module).__name__, f"{inside[0]} is computed inside of PyTorch's operator"))
        own = has_own_forward(module)
        reason = wrappable(module)
        gates = self.fuse and own and self.look_at_gates(path, module, reason)
        if reason is None and (gates or fused(module) or (self.rules.kinds and own)):
            self.wraps.append(module)
        if not (fused(module) or (self.rules.kinds and own)):
            return
        for call in known_calls(module):
            for kind in self.asked(call.kinds):
                self.matched.add(kind)
                self.report_call(path, call, kind, reason)

    def look_at_gates(self, path: str, module: Any, reason: str | None) -> bool:
        """Whether a module's forward has gated units that are computed in one pass."""
        places = {name: made for parent, name, made in self.places if parent is module}
        _, sites, obstacle = rewritten(type(module).forward, tuple(places))
        reasons = []
        for site in sites:
            if site.attribute is None and not self.asked(kinds_of_function(site.function)):
                continue
            made = None if site.attribute is None else places[site.attribute]
            reasons.append(reason or obstacle or self.unfusable(made))
            line = Line(path, f"{site.shown}(...) * ... in {site.where}", reasons[-1] or "one pass")
            (self.left if reasons[-1] else self.replaced).append(line)
        if None in reasons:
            self.gates[id(module)] = tuple(places)
        return None in reasons

    def unfusable(self, made: Any) -> str | None:
        """Why an activation cannot be computed with the product; None is a call."""
        if self.save != "input":
            return f'save="{self.save}" saves the derivative alone'
        if made is None or (type(made) is Activation and made.parameter is None):
            return None
        return "it writes over its input" if isinstance(made, InPlace) else "it does more than a spec says"

    def asked(self, kinds: tuple[str, ...]) -> list[str]:
        return [kind for kind in kinds if kind in self.rules.kinds]

    def report_call(self, path: str, call: Call, kind: str, reason: str | None) -> None:
        what = f"{call.function} in {call.where}"
        if reason is None and kind not in self.targets:
            reason = "a call can be replaced by a spec alone"
        if reason is None:
            self.replaced.append(Line(path, what, self.targets[kind].spec))
        else:
            self.left.append(Line(path, what, reason))

    def warn_of_keys(self) -> None:
        rules = self.rules
        for key in (*rules.names, *rules.classes, *rules.patterns, *rules.kinds):
            if key not in self.matched:
                shown = key.__name__ if isinstance(key, type) else repr(key)
                warnings.warn(f"mapping: key {shown} matches no module and no call that the model's source shows",
                              stacklevel=3)

    def carry_out(self) -> None:
        for parent, name, made in self.places:
            parent._modules[name] = made
        if not (self.places or self.targets):
            return
        calls = Calls(self.targets, self.save, self.keep_inplace)
        for module in self.wraps:
            wrap(module, calls._replace(gates=self.gates.get(id(module))))
        if self.wraps:
            for module in list(self.model.modules()):
                if kind_of_module(module) or "_libsugar_former" in vars(module) or isinstance(module, Activation):
                    wrap(module, Calls({}, shield=True))


# ---- What modules compute -----------------------------------------------------------------------------------------


def hidden_kinds(module: Any) -> tuple[str, ...]:
    """Activations inside of PyTorch's recurrent operators, which nothing can reach."""
    if isinstance(module, (torch.nn.RNN, torch.nn.RNNCell)):
        return (module.nonlinearity,)
    return ("sigmoid", "tanh") if isinstance(module, (torch.nn.RNNBase, torch.nn.RNNCellBase)) else ()


def has_own_forward(module: Any) -> bool:
    """Whether its class is somebody else's than PyTorch's, so that its forward may call activations."""
    return not type(module).__module__.startswith("torch.nn.")


def fused(module: Any) -> bool:
    """Whether its forward may be one operator of PyTorch's, as in eval() that of nn.TransformerEncoderLayer is, which
    knows only relu and gelu. Under a mode PyTorch does without."""
    return type(module).__module__ == "torch.nn.modules.transformer"
