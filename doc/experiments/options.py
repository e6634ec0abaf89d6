"""What a run is: its options, their checks, and the presets that give them values."""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import math
from typing import Any, Sequence

import libsugar

CHOICES = {
    "network": ("vgg16", "vgg16-bn", "resnet18", "mlp", "mlp-bn", "swin", "convnext", "gpt2"),
    "data": ("cifar10", "cifar100", "fashion-mnist", "text"),
    "init": ("he", "lecun"),
    "augment": ("none", "flip-crop"),
    "optimizer": ("sgd", "adamw"),
    "schedule": ("one-cycle", "cosine", "constant"),
    "precision": ("float32", "bfloat16", "float64"),
    "device": ("cpu", "cuda"),
    "layout": ("channels-first", "channels-last"),
}


def option(default: Any, about: str, least: float = -math.inf, most: float = math.inf) -> Any:
    return dataclasses.field(default=default, metadata={"about": about, "least": least, "most": most})


@dataclasses.dataclass(frozen=True)
class Options:
    """All that decides what a run computes. Where its data lie and where it writes to is no part of it."""

    network: str = option("vgg16", "the network")
    width: float = option(0.125, "factor of the widths that the network's authors chose", 1 / 64, 4)
    depth: int = option(0, "hidden layers of an MLP, blocks of a GPT-2; 0: the network's own", 0, 64)
    data: str = option("cifar10", "what it learns")
    activation: str = option("relu", "a spec of libsugar, such as relu~bsilu")
    blend_from: float = option(-1.0, "share of the surrogate in the first epoch; -1: what the spec says", -1, 1)
    blend_to: float = option(-1.0, "share of the surrogate in the last epoch; -1: as in the first", -1, 1)
    gradient_scale: float = option(1.0, "factor of the gradient at each activation", 1e-3, 1e3)
    init: str = option("he", "weights of layers before activations: variance 2 / inputs (he), 1 / inputs (lecun)")
    bias: float = option(0.0, "what biases of hidden layers, or of their normalisations, begin with", -100, 100)
    train_images: int = option(10000, "training images; 0: all", 0)
    test_images: int = option(2000, "test images after each epoch; 0: all. In the end it is always all", 0)
    batch: int = option(128, "samples in a step", 1)
    augment: str = option("none", "what is done to training images")
    epochs: int = option(20, "passes over the training samples", 1)
    optimizer: str = option("sgd", "the optimizer")
    momentum: float = option(0.9, "momentum of sgd, first beta of adamw", 0, 0.9999)
    schedule: str = option("one-cycle", "how the learning rate changes with the steps")
    warmup: float = option(0.25, "share of the steps in which the rate rises (one-cycle, cosine)", 0, 0.9)
    rate: float = option(0.05, "the highest learning rate", 1e-9, 1e3)
    weight_decay: float = option(5e-4, "weight decay, of weights, not of biases and norms", 0, 10)
    clip: float = option(0.0, "largest norm of the gradient; 0: any", 0)
    outlier: float = option(0.0, "factor of one image, whose label is wrong, in the middle of training; 0: none", 0)
    seed: int = option(1, "seed of weights, order and augmentation", 0, 2 ** 31 - 1)
    precision: str = option("float32", "of what is computed; bfloat16: autocast, weights stay float32")
    device: str = option("cpu", "cpu: libsugar's C kernels; cuda: PyTorch's own operations")
    threads: int = option(1, "threads of a process; another number may round otherwise", 1, 1024)
    processes: int = option(1, "processes that share a batch, under torchrun", 1, 1024)
    layout: str = option("channels-last", "how images lie in memory")

    def identity(self) -> str:
        """The name of the run: two runs have the same one if all of their options are the same. It is made of those
        that are not the default, so that an option that comes later leaves the names of earlier runs as they are."""
        values = {name: getattr(self, name) for name, field in FIELDS.items() if getattr(self, name) != field.default}
        text = json.dumps(values, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def values(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def changed(self, **values: Any) -> Options:
        return checked(dataclasses.replace(self, **values))

    def label(self) -> str:
        return f"{self.network} {self.activation} rate {self.rate:g} seed {self.seed}"


FIELDS = {field.name: field for field in dataclasses.fields(Options)}

# Options that some networks have no use for: two runs that are the same would have two names.
NOTHING_TO_DO = {"depth": ("vgg16", "vgg16-bn", "resnet18", "swin", "convnext"), "init": ("swin", "convnext", "gpt2"),
                 "augment": ("gpt2",), "outlier": ("gpt2",), "gradient_scale": ("swin", "convnext", "gpt2"),
                 "bias": ("swin", "convnext", "gpt2")}

# minutes: a run takes minutes on one core. hours: the same on a machine of one's own, or minutes on a GPU.
# paper: arXiv 2505.22074 as far as its text tells; README.md says what it leaves open.
PRESETS: dict[str, dict[str, Any]] = {
    "minutes": {},
    "hours": {"width": 0.5, "train_images": 0, "test_images": 0, "augment": "flip-crop", "epochs": 60},
    "paper": {"width": 1.0, "train_images": 0, "test_images": 0, "epochs": 100},
}

# How transformers are trained, in place of the defaults, and how large they are with the preset `minutes`.
ADAMW = {"optimizer": "adamw", "schedule": "cosine", "warmup": 0.1, "weight_decay": 0.05, "clip": 1.0, "rate": 0.001}
TRANSFORMERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "swin": (ADAMW, {"width": 0.25, "test_images": 1000, "epochs": 10}),
    "convnext": (ADAMW, {"width": 0.25, "test_images": 1000, "epochs": 10}),
    "gpt2": ({**ADAMW, "data": "text", "augment": "none", "batch": 32},
             {"train_images": 1600, "test_images": 200, "epochs": 10}),
}


def preset(name: str, network: str) -> dict[str, Any]:
    """What a preset gives to a network."""
    always, minutes = TRANSFORMERS.get(network, ({}, {}))
    return {**PRESETS[name], **always, **(minutes if name == "minutes" else {})}


class Wrong(ValueError):
    """A value that cannot be meant; the message is for who gave it."""


def checked(options: Options) -> Options:
    for name, field in FIELDS.items():
        value, shown = getattr(options, name), flag(name)
        if name in CHOICES and value not in CHOICES[name]:
            raise Wrong(f"{shown}: {value!r}, expected one of {', '.join(CHOICES[name])}")
        least, most = field.metadata["least"], field.metadata["most"]
        if isinstance(value, (int, float)) and not least <= value <= most:      # NaN, too, is refused
            raise Wrong(f"{shown}: {value}, expected {least:g} to {most:g}")
    try:
        info = libsugar.Activation(options.activation).info
    except libsugar.Error as error:
        raise Wrong(f"--activation: {options.activation!r}, expected a spec of libsugar: {error}") from error
    for name, without in NOTHING_TO_DO.items():
        if getattr(options, name) != FIELDS[name].default and options.network in without:
            raise Wrong(f"{flag(name)}: {getattr(options, name)}, expected {FIELDS[name].default}: it means nothing to "
                        f"{options.network}")
    for name in ("blend_from", "blend_to"):
        if -1 < getattr(options, name) < 0:
            raise Wrong(f"{flag(name)}: {getattr(options, name):g}, expected 0 to 1, or -1")
    if options.blend_to >= 0 > options.blend_from:
        raise Wrong(f"--blend-from: {options.blend_from:g}, expected 0 to 1, as --blend-to is given")
    if options.blend_from >= 0 and info.surrogate is None:
        raise Wrong(f"--blend-from: {options.blend_from:g}, expected -1: {options.activation} has no surrogate")
    if (options.network == "gpt2") != (options.data == "text"):
        raise Wrong(f"--data: {options.data}, expected text for gpt2 and images for other networks, "
                    f"but --network is {options.network}")
    if options.batch % options.processes:
        raise Wrong(f"--batch: {options.batch}, expected a multiple of the number of processes, {options.processes}")
    return options


def flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def add_flags(parser: argparse.ArgumentParser) -> None:
    """One flag for each option; None stands for the preset's value."""
    group = parser.add_argument_group("options of a run")
    group.add_argument("--preset", choices=tuple(PRESETS), default="minutes", help="values of all others (minutes)")
    for name, field in FIELDS.items():
        kind: type[Any] = type(field.default)
        group.add_argument(flag(name), type=kind, default=None, choices=CHOICES.get(name),
                           metavar=None if name in CHOICES else kind.__name__.upper(),
                           help=f"{field.metadata['about']} ({field.default})".replace("%", "%%"))


def given(arguments: argparse.Namespace) -> dict[str, Any]:
    """The options that the command line names."""
    return {name: value for name in FIELDS if (value := getattr(arguments, name)) is not None}


def command_line(options: Options) -> Sequence[str]:
    """The flags that give these options, whatever the presets say."""
    return [f"{flag(name)}={value}" for name, value in options.values().items()]
