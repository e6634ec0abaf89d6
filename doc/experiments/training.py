"""One run: training, measuring, resuming."""

from __future__ import annotations

import dataclasses
import math
import platform
import statistics
import time
from pathlib import Path
from typing import Any, Callable, Iterator

import numpy as np
import torch
from torch import nn
from torch.nn import functional

import libsugar
import libsugar.torch
import record
from data import Data, Samples
from networks import make
from options import Options

DTYPES = {"float32": torch.float32, "bfloat16": torch.float32, "float64": torch.float64}    # of weights
LAYOUTS = {"channels-first": torch.contiguous_format, "channels-last": torch.channels_last}


class Diverged(Exception):
    """The loss is not finite."""


class Task:
    """A network with its data, and the losses of batches of it."""

    def __init__(self, options: Options, data: Data) -> None:
        self.options = options
        self.device = torch.device(options.device)
        torch.manual_seed(options.seed)
        made = make(options, tuple(data.train.inputs.shape[1:]), data.classes)
        self.axis = made.axis
        self.layout = LAYOUTS[options.layout]
        self.model = made.model.to(self.device, DTYPES[options.precision], memory_format=self.layout)
        count = options.train_images or len(data.train.inputs)
        self.train = Samples(*(one[:count].to(self.device) for one in data.train))
        self.test = Samples(*(one.to(self.device) for one in data.test))
        pixels = self.train.inputs.to(torch.float64)
        self.mean = pixels.mean((0, 2, 3), keepdim=True).to(DTYPES[options.precision])
        self.deviation = pixels.std((0, 2, 3), keepdim=True).to(DTYPES[options.precision])

    def batches(self, epoch: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """The training samples in an order that seed and epoch decide; what does not fill a batch is left out."""
        generator = torch.Generator().manual_seed(seed_of(self.options.seed, epoch))
        size = self.options.batch
        order = torch.randperm(len(self.train.inputs), generator=generator)
        for start in range(0, len(order) - size + 1, size):
            chosen = order[start:start + size].to(self.device)
            inputs = self.train.inputs[chosen]
            if self.options.augment == "flip-crop":
                inputs = flipped_and_cropped(inputs, generator)
            yield self.prepared(inputs), self.train.labels[chosen]

    def prepared(self, inputs: torch.Tensor) -> torch.Tensor:
        """Numbers of mean 0 and deviation 1 from bytes."""
        made = (inputs.to(self.mean.dtype) - self.mean) / self.deviation
        return made.contiguous(memory_format=self.layout)

    def losses(self, inputs: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The mean loss of a batch, and how many of its labels were found."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.options.precision == "bfloat16"):
            outputs = self.model(inputs)
        loss = functional.cross_entropy(outputs.to(self.mean.dtype), labels)
        return loss, (outputs.argmax(1) == labels).sum()

    def evaluate(self, count: int) -> tuple[dict[str, float], libsugar.torch.Record]:
        """Loss and accuracy on the first `count` test samples, and what the activations saw."""
        self.model.eval()
        total, found, samples = 0.0, 0, self.test.labels[:count or None]
        with torch.no_grad(), libsugar.torch.watch(self.model, training=False, window=2 ** 40, axis=self.axis,
                                                   live=False) as seen:
            for start in range(0, len(samples), 500):
                labels = samples[start:start + 500]
                loss, right = self.losses(self.prepared(self.test.inputs[start:start + len(labels)]), labels)
                total += loss.item() * len(labels)
                found += int(right)
        self.model.train()
        return {"test_loss": total / len(samples), "test_accuracy": found / len(samples)}, seen.record()


def flipped_and_cropped(inputs: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Each image mirrored or not, and moved by up to 4 pixels, with 0 where nothing was."""
    count, _, height, width = inputs.shape
    flips = torch.rand(count, generator=generator).to(inputs.device) < 0.5
    rows, columns = (torch.randint(9, (count,), generator=generator).to(inputs.device) for _ in range(2))
    inputs = torch.where(flips[:, None, None, None], inputs.flip(3), inputs)
    padded = functional.pad(inputs, (4, 4, 4, 4))
    down = rows[:, None] + torch.arange(height, device=inputs.device)
    right = columns[:, None] + torch.arange(width, device=inputs.device)
    images = torch.arange(count, device=inputs.device)[:, None, None]
    return padded[images, :, down[:, :, None], right[:, None, :]].permute(0, 3, 1, 2)


def seed_of(seed: int, epoch: int) -> int:
    """A seed for an epoch, so that a run that is continued needs no state of generators."""
    return (seed * 1000003 + epoch + 1) % 2 ** 63


# ---- Steps -----------------------------------------------------------------------------------------------------------


def rate_at(options: Options, step: int, steps: int) -> float:
    """The learning rate of a step of all steps."""
    share = step / steps
    if options.schedule == "constant":
        return options.rate
    if share < options.warmup:
        least = 0.04 if options.schedule == "one-cycle" else 0.0        # of PyTorch's OneCycleLR: 1/25
        return options.rate * (least + (1 - least) * (step + 1) / math.ceil(options.warmup * steps))
    rest = (share - options.warmup) / (1 - options.warmup)
    return options.rate * 0.5 * (1 + math.cos(math.pi * rest))


def optimizer_for(options: Options, model: nn.Module) -> torch.optim.Optimizer:
    """Weight decay is for weights alone."""
    weights = [one for one in model.parameters() if one.dim() > 1]
    others = [one for one in model.parameters() if one.dim() <= 1]
    groups = [{"params": weights, "weight_decay": options.weight_decay}, {"params": others, "weight_decay": 0.0}]
    if options.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=options.rate, momentum=options.momentum)
    return torch.optim.AdamW(groups, lr=options.rate, betas=(options.momentum, 0.999))


def set_blend(options: Options, model: nn.Module, epoch: int) -> None:
    """The share of the surrogate in the gradient, which goes evenly from the first epoch's to the last one's."""
    if options.blend_from < 0:
        return
    last = options.blend_to if options.blend_to >= 0 else options.blend_from
    share = epoch / max(1, options.epochs - 1)
    for one in model.modules():
        if isinstance(one, libsugar.torch.Activation):
            one.blend = options.blend_from + (last - options.blend_from) * share


class Run:
    """A run with what it has learned so far."""

    def __init__(self, options: Options, data: Data, checkpoint: Path) -> None:
        self.options, self.checkpoint, self.digest = options, checkpoint, data.digest
        self.task = Task(options, data)
        self.optimizer = optimizer_for(options, self.task.model)
        self.epochs: list[dict[str, Any]] = []
        self.times: list[float] = []        # the median of each epoch's steps, in ms
        self.seconds = 0.0
        self.resume()

    def resume(self) -> None:
        state = record.load_checkpoint(self.checkpoint)
        if state is not None:
            self.task.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.epochs, self.times = state["epochs"], state["times"]
            self.seconds = state["seconds"]

    def save(self) -> None:
        record.save_checkpoint(self.checkpoint, {
            "model": self.task.model.state_dict(), "optimizer": self.optimizer.state_dict(), "epochs": self.epochs,
            "times": self.times, "seconds": self.seconds})

    def finish(self, progress: Callable[[int], None]) -> dict[str, Any]:
        """Trains to the end; the result. progress is told of each epoch that is done."""
        status = "done"
        try:
            for epoch in range(len(self.epochs), self.options.epochs):
                start = time.perf_counter()
                self.epochs.append(self.epoch(epoch))
                self.seconds += time.perf_counter() - start
                self.save()
                progress(epoch + 1)
        except Diverged:
            status = "diverged"
        return self.result(status)

    def epoch(self, epoch: int) -> dict[str, Any]:
        torch.manual_seed(seed_of(self.options.seed, epoch))        # of what draws by itself, such as rrelu
        set_blend(self.options, self.task.model, epoch)
        steps_of_epoch = len(self.task.train.inputs) // self.options.batch
        steps = steps_of_epoch * self.options.epochs
        loss_sum, found_sum, times = 0.0, 0, []
        for i, (inputs, labels) in enumerate(self.task.batches(epoch)):
            start = time.perf_counter()
            for group in self.optimizer.param_groups:
                group["lr"] = rate_at(self.options, epoch * steps_of_epoch + i, steps)
            loss, found = self.step(inputs, labels)
            loss_sum, found_sum = loss_sum + loss, found_sum + found
            times.append(1000 * (time.perf_counter() - start))
        self.times.append(statistics.median(times))
        tested, seen = self.task.evaluate(self.options.test_images)
        finite(tested["test_loss"])
        samples = steps_of_epoch * self.options.batch
        return {"epoch": epoch + 1, "train_loss": short(loss_sum / steps_of_epoch),
                "train_accuracy": short(found_sum / samples), **{name: short(one) for name, one in tested.items()},
                "dead": sum(layer.figures().dead for layer in seen.layers.values())}

    def step(self, inputs: torch.Tensor, labels: torch.Tensor) -> tuple[float, int]:
        self.optimizer.zero_grad(set_to_none=True)
        loss, found = self.task.losses(inputs, labels)
        value = finite(loss.item())
        loss.backward()
        if self.options.clip:
            nn.utils.clip_grad_norm_(self.task.model.parameters(), self.options.clip)
        self.optimizer.step()
        return value, int(found)

    def result(self, status: str) -> dict[str, Any]:
        made: dict[str, Any] = {"run": self.options.identity(), "status": status,
                                "spec": libsugar.Activation(self.options.activation).info.spec,
                                "options": dataclasses.asdict(self.options), "data_digest": self.digest,
                                "machine": machine(self.options), "epochs": self.epochs,
                                "ms_per_step": short(statistics.median(self.times)) if self.times else None,
                                "seconds": short(self.seconds)}
        if status == "done":
            tested, seen = self.task.evaluate(0)
            made.update({name: short(value) for name, value in tested.items()})
            made["layers"] = {name: layer_figures(layer) for name, layer in seen.layers.items()}
        return made


def finite(loss: float) -> float:
    if not math.isfinite(loss):
        raise Diverged
    return loss


def short(value: float) -> float:
    """Six digits are enough for a table, and keep lines small."""
    return float(f"{value:.6g}")


def layer_figures(layer: libsugar.torch.Layer) -> dict[str, Any]:
    """Of the inputs of an activation over the test samples: dead and nearly dead units, the share that is not active,
    mean, deviation, and the counts of a histogram from -8 to 8 with open ends."""
    seen = layer.figures()
    return {"units": seen.units, "dead": seen.dead, "nearly_dead": seen.nearly_dead, "sparsity": short(seen.sparsity),
            "mean": short(seen.mean), "deviation": short(seen.deviation),
            "histogram": layer.last.histogram()[0].tolist()}


def machine(options: Options) -> dict[str, Any]:
    """What the last digits depend on, besides options and data."""
    return {"torch": torch.__version__, "libsugar": libsugar.version(), "numpy": np.__version__,
            "python": platform.python_version(), "processor": processor(), "level": next(one.name for one in libsugar.levels() if one.in_use),
            "accelerator": torch.cuda.get_device_name() if options.device == "cuda" else None}


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
