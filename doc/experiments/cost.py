"""What training steps and tests take with each row of a table: measured in turns, on data that are drawn."""

from __future__ import annotations

import statistics
import time
from typing import Sequence

import torch
from tqdm import tqdm

from data import CIFAR, Data, Samples
from networks import LINE
from options import Options
from training import Run


class Turns:
    """A row, and for each round: seconds of a training step, and of a test of the same batch."""

    def __init__(self, options: Options) -> None:
        self.run = Run(options.changed(train_images=options.batch, test_images=0, rate=1e-6), drawn(options))
        self.batch = next(iter(self.run.task.batches(0)))
        self.steps: list[float] = []
        self.tests: list[float] = []

    def take(self) -> None:
        start = time.perf_counter()
        self.run.step(*self.batch)
        middle = time.perf_counter()
        model = self.run.task.model.eval()
        with torch.no_grad():
            self.run.task.losses(model, *self.batch)
        model.train()
        self.steps.append(middle - start)
        self.tests.append(time.perf_counter() - middle)


def measure(rows: dict[str, Options], rounds: int) -> None:
    """Prints a table: medians in ms, and medians of the ratios to the first row's, over rounds in which each row has
    one turn. A round before them warms up."""
    first = next(iter(rows.values()))
    torch.set_num_threads(first.threads)
    turns = {row: Turns(options) for row, options in rows.items()}
    for _ in tqdm(range(1 + rounds), desc=first.network, leave=False):
        for one in turns.values():
            one.take()
    print(f"{first.network}, width {first.width:g}, batches of {first.batch}, {first.threads} thread(s), "
          f"{rounds} rounds")
    print(f"{'':<26} {'step, ms':>9} {'ratio':>6} {'test, ms':>9} {'ratio':>6}")
    base = next(iter(turns.values()))
    for row, one in turns.items():
        print(f"{row:<26} {shown(one.steps, base.steps)} {shown(one.tests, base.tests)}")


def shown(times: Sequence[float], others: Sequence[float]) -> str:
    ratios = [one / other for one, other in zip(times[1:], others[1:])]
    return f"{1000 * statistics.median(times[1:]):>9.2f} {statistics.median(ratios):>6.3f}"


def drawn(options: Options) -> Data:
    """As many samples as a batch has, of no meaning."""
    generator = torch.Generator().manual_seed(options.seed)
    classes = 256 if options.data == "text" else CIFAR.get(options.data, CIFAR["cifar10"]).classes
    shape = (2 * LINE * options.batch,) if options.data == "text" else (
        options.batch, *((1, 28, 28) if options.data == "fashion-mnist" else (3, 32, 32)))
    samples = Samples(torch.randint(256, shape, generator=generator, dtype=torch.uint8),
                      torch.randint(classes, (options.batch,), generator=generator))
    return Data(samples, samples, classes, "drawn")
