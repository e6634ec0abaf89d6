"""One run: training, measuring, resuming."""

from __future__ import annotations

import math
import platform
import statistics
import threading
import time
from pathlib import Path
from typing import Any, Callable

import numpy as np
import torch
from torch import distributed, nn

import checkpoints
import libsugar
import libsugar.torch
from data import Data, digest_of
from options import Options, Wrong
from tasks import seed_of, task_of


TRAINS = ("data", "networks", "options", "tasks", "training")     # modules whose changes may change what runs give
stopping = threading.Event()        # set by a signal, and heeded between two steps, where nothing is half done


class Diverged(Exception):
    """The loss is not finite."""


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
    """Weight decay is for what linear layers, convolutions and embeddings multiply by: not for biases (Swin's tables of
    them, too), scales and slopes (of ConvNeXt's normalisation of responses, too, which have four dimensions)."""
    decays: dict[bool, list[nn.Parameter]] = {True: [], False: []}
    for name, one in model.named_parameters():
        decays[one.numel() > one.shape[-1] and not name.endswith("bias_table")].append(one)
    groups = [{"params": decays[True], "weight_decay": options.weight_decay},
              {"params": decays[False], "weight_decay": 0.0}]
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

    def __init__(self, options: Options, data: Data, checkpoint: Path | None = None) -> None:
        self.options, self.checkpoint, self.digest = options, checkpoint, data.digest
        self.task = task_of(options, data)
        self.optimizer = optimizer_for(options, self.task.model)
        self.epochs: list[dict[str, Any]] = []
        self.times: list[float] = []        # the median of each epoch's steps, in ms
        self.seconds = 0.0
        self.machines = [machine(options)]      # where it ran, the last one here
        self.resume()

    def resume(self) -> None:
        state = checkpoints.load(self.checkpoint) if self.checkpoint else None
        if state is not None:
            if state.get("digest") != self.digest:      # None: of a version that did not note it
                raise Wrong(f"{self.checkpoint}: of data with the digest {state.get('digest')}, expected "
                            f"{self.digest}; other data need another --output")
            self.task.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.epochs, self.times = state["epochs"], state["times"]
            self.seconds = state["seconds"]
            self.machines = [one for one in state["machines"] if one != self.machines[0]] + self.machines

    def save(self) -> None:
        if self.checkpoint and self.task.rank == 0:
            checkpoints.save(self.checkpoint, {
                "model": self.task.model.state_dict(), "optimizer": self.optimizer.state_dict(),
                "epochs": self.epochs, "times": self.times, "seconds": self.seconds, "digest": self.digest,
                "machines": self.machines})

    def finish(self, progress: Callable[[int], None]) -> dict[str, Any]:
        """Trains to the end; the result. progress is told of each epoch that is done."""
        try:
            for epoch in range(len(self.epochs), self.options.epochs):
                start = time.perf_counter()
                self.epochs.append(self.epoch(epoch))
                self.seconds += time.perf_counter() - start
                self.save()
                progress(epoch + 1)
            tested, seen = self.task.evaluate(0)
            finite(tested["test_loss"])
        except (Diverged, libsugar.OutOfRangeError):    # prelu's slopes can leave libsugar's range before the loss does
            return self.result("diverged")
        return {**self.result("done"), **{name: short(value) for name, value in tested.items()},
                "layers": {name: layer_figures(layer) for name, layer in seen.layers.items()}}

    def epoch(self, epoch: int) -> dict[str, Any]:
        torch.manual_seed(seed_of(self.options.seed, epoch, 1 + self.task.rank))    # of what draws by itself: rrelu
        set_blend(self.options, self.task.model, epoch)
        steps, times = self.task.steps, []
        sums = torch.zeros(3, dtype=torch.float64)      # of losses, of labels found, of labels
        for i, (inputs, labels) in enumerate(self.task.batches(epoch)):
            if stopping.is_set():
                raise KeyboardInterrupt
            start = time.perf_counter()
            for group in self.optimizer.param_groups:
                group["lr"] = rate_at(self.options, epoch * steps + i, self.options.epochs * steps)
            loss, found = self.step(inputs, labels)
            sums += torch.tensor([loss, found, labels.numel()])
            times.append(1000 * (time.perf_counter() - start))
        self.times.append(statistics.median(times))
        loss_sum, found_sum, samples = self.everywhere(sums).tolist()
        tested, seen = self.task.evaluate(self.options.test_images)
        finite(tested["test_loss"])
        return {"epoch": epoch + 1, "train_loss": short(loss_sum / steps / self.options.processes),
                "train_accuracy": short(found_sum / samples), **{name: short(one) for name, one in tested.items()},
                "dead": sum(layer.figures().dead for layer in seen.layers.values())}

    def step(self, inputs: torch.Tensor, labels: torch.Tensor) -> tuple[float, int]:
        self.optimizer.zero_grad(set_to_none=True)
        loss, found = self.task.losses(self.task.shared, inputs, labels)
        value = finite(self.everywhere(loss.detach()).item() / self.options.processes)
        loss.backward()
        if self.options.clip:
            nn.utils.clip_grad_norm_(self.task.model.parameters(), self.options.clip)
        self.optimizer.step()
        return value, int(found)

    def everywhere(self, sums: torch.Tensor) -> torch.Tensor:
        """The sum over all processes, so that they agree whether the loss is finite."""
        if self.options.processes == 1:
            return sums
        made = sums.to(self.task.device, copy=True)
        distributed.all_reduce(made)
        return made

    def result(self, status: str) -> dict[str, Any]:
        made: dict[str, Any] = {"run": self.options.identity(), "status": status,
                                "spec": libsugar.Activation(self.options.activation).info.spec,
                                "options": self.options.values(), "data_digest": self.digest,
                                "machine": self.machines[-1], "epochs": self.epochs,
                                "ms_per_step": short(statistics.median(self.times)) if self.times else None,
                                "seconds": short(self.seconds)}
        if len(self.machines) > 1:
            made["machines_before"] = self.machines[:-1]
        return made


def finite(loss: float) -> float:
    if not math.isfinite(loss):
        raise Diverged
    return loss


def short(value: float) -> float:
    """Six digits are enough for a table, and keep lines small."""
    return float(f"{value:.6g}")


def layer_figures(layer: Any) -> dict[str, Any]:
    """Of the inputs of an activation over the test samples: dead and nearly dead units, the share that is not active,
    mean, deviation, and the counts of a histogram from -8 to 8 with open ends."""
    seen = layer.figures()
    return {"units": seen.units, "dead": seen.dead, "nearly_dead": seen.nearly_dead, "sparsity": short(seen.sparsity),
            "mean": short(seen.mean), "deviation": short(seen.deviation),
            "histogram": layer.last.histogram()[0].tolist()}


def machine(options: Options) -> dict[str, Any]:
    """What the last digits depend on, besides options and data; code is a digest of what trains."""
    code = digest_of(*(Path(__file__).with_name(f"{one}.py").read_bytes() for one in TRAINS))
    return {"code": code, "torch": str(torch.__version__), "libsugar": libsugar.version(), "numpy": np.__version__,
            "python": platform.python_version(), "processor": processor(),
            "level": next(one.name for one in libsugar.levels() if one.in_use),
            "accelerator": torch.cuda.get_device_name() if options.device == "cuda" else None}


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
