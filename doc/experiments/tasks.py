"""What a network learns from: batches of images or of text, and what is counted on those it is tested with."""

from __future__ import annotations

from typing import Any, Iterator

import torch
from torch import distributed, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

import libsugar.torch
from data import Data, Samples
from networks import LINE, make
from options import Options, Wrong

DTYPES = {"float32": torch.float32, "bfloat16": torch.float32, "float64": torch.float64}    # of weights
LAYOUTS = {"channels-first": torch.contiguous_format, "channels-last": torch.channels_last}
TEST_BATCH = {"images": 500, "text": 50}

Batch = tuple[torch.Tensor, torch.Tensor]


class Task:
    """A network with its data. Of several processes each has the whole of both, and computes its share of each batch:
    order and augmentation are drawn for the batch as a whole, so that they do not depend on how many share it."""

    def __init__(self, options: Options, data: Data) -> None:
        self.classes = data.classes
        self.options, self.rank = options, distributed.get_rank() if options.processes > 1 else 0
        self.device = torch.device(options.device)
        self.dtype, self.layout = DTYPES[options.precision], LAYOUTS[options.layout]
        torch.manual_seed(options.seed)
        made = make(options, tuple(data.train.inputs.shape[1:]), data.classes)
        self.axis, self.model = made.axis, made.model.to(self.device, self.dtype, memory_format=self.layout)
        self.shared = DistributedDataParallel(self.model) if options.processes > 1 else self.model
        self.train = Samples(*(one.to(self.device) for one in data.train))
        self.test = Samples(*(one.to(self.device) for one in data.test))
        self.steps = self.count() // options.batch          # in an epoch; what does not fill a batch is left out
        if not self.steps:
            raise Wrong(f"--batch: {options.batch}, expected at most the {self.count()} training samples")

    def count(self) -> int:
        """The training samples of an epoch."""
        raise NotImplementedError

    def batches(self, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch, this process's share of each, which seed and epoch decide."""
        raise NotImplementedError

    def tests(self, count: int) -> Iterator[Batch]:
        """The first test samples, all if count is 0; always the same."""
        raise NotImplementedError

    def share(self, batch: torch.Tensor) -> torch.Tensor:
        return batch[self.rank::self.options.processes]

    def losses(self, model: nn.Module, inputs: torch.Tensor, labels: torch.Tensor) -> Batch:
        """The mean loss of a batch, and how many of its labels were found."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.options.precision == "bfloat16"):
            outputs = model(inputs)
        outputs, labels = outputs.flatten(0, -2).to(self.dtype), labels.flatten()
        return functional.cross_entropy(outputs, labels), (outputs.argmax(1) == labels).sum()

    def evaluate(self, count: int) -> tuple[dict[str, float], Any]:
        """Loss and accuracy on test samples, and what the activations saw. Processes take turns with the batches."""
        if self.options.processes > 1:
            for one in self.model.buffers():        # means of batch normalisation, which each process has its own of
                distributed.broadcast(one, 0)
        self.model.eval()
        sums = torch.zeros(3, dtype=torch.float64)
        with torch.no_grad(), libsugar.torch.watch(self.model, training=False, window=2 ** 40, axis=self.axis,
                                                   live=False) as seen:
            for i, (inputs, labels) in enumerate(self.tests(count)):
                if i % self.options.processes == self.rank:
                    loss, found = self.losses(self.model, inputs, labels)
                    sums += torch.tensor([loss.item() * labels.numel(), found.item(), labels.numel()])
        self.model.train()
        record = self.merged(sums, seen)
        total, found_sum, samples = sums.tolist()
        return {"test_loss": total / samples, "test_accuracy": found_sum / samples}, record

    def merged(self, sums: torch.Tensor, seen: Any) -> Any:
        """Adds what the other processes counted."""
        if self.options.processes == 1:
            return seen.record()
        everywhere = sums.to(self.device)
        distributed.all_reduce(everywhere)
        sums.copy_(everywhere)
        return seen.merge()


class Images(Task):
    def __init__(self, options: Options, data: Data) -> None:
        super().__init__(options, data)
        self.mean, self.deviation = (one.to(self.dtype) for one in mean_and_deviation(self.train.inputs[:self.count()]))

    def count(self) -> int:
        here = len(self.train.inputs)
        for flag, asked, most in (("--train-images", self.options.train_images, here),
                                  ("--test-images", self.options.test_images, len(self.test.inputs))):
            if asked > most:
                raise Wrong(f"{flag}: {asked}, expected at most {most} for this data")
        return self.options.train_images or here

    def batches(self, epoch: int) -> Iterator[Batch]:
        generator = generator_of(self.options.seed, epoch)
        order = torch.randperm(self.count(), generator=generator)
        for i in range(self.steps):
            chosen = order[i * self.options.batch:(i + 1) * self.options.batch].to(self.device)
            inputs = self.train.inputs[chosen]
            if self.options.augment == "flip-crop":
                inputs = flipped_and_cropped(inputs, generator)
            inputs, labels = self.prepared(inputs), self.train.labels[chosen]
            if self.options.outlier and epoch * self.steps + i == self.options.epochs * self.steps // 2:
                inputs[0] *= self.options.outlier
                labels[0] = (labels[0] + 1) % self.classes      # with the right label its loss might be 0
            yield self.share(inputs), self.share(labels)

    def tests(self, count: int) -> Iterator[Batch]:
        inputs, labels = (one[:count or None].split(TEST_BATCH["images"]) for one in self.test)
        for some, answers in zip(inputs, labels):
            yield self.prepared(some), answers

    def prepared(self, inputs: torch.Tensor) -> torch.Tensor:
        """Numbers of mean 0 and deviation 1 from bytes."""
        made = (inputs.to(self.dtype) - self.mean) / self.deviation
        return made.contiguous(memory_format=self.layout)


def mean_and_deviation(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Of the bytes in each channel, from how often each value occurs: without a copy in another type."""
    counts = torch.stack([torch.bincount(one.flatten(), minlength=256) for one in images.unbind(1)]).to(torch.float64)
    values, number = torch.arange(256, dtype=torch.float64, device=images.device), counts[0].sum()
    mean = (counts * values).sum(1, keepdim=True) / number
    deviation = ((counts * (values - mean) ** 2).sum(1, keepdim=True) / (number - 1)).sqrt()
    return mean[None, :, :, None], deviation[None, :, :, None]


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


class Text(Task):
    """Lines of bytes, each byte to be found from those before it. An epoch has as many lines as train_images says, from
    places that are drawn."""

    def count(self) -> int:
        return self.options.train_images or len(self.train.inputs) // LINE

    def batches(self, epoch: int) -> Iterator[Batch]:
        generator = generator_of(self.options.seed, epoch)
        for _ in range(self.steps):
            starts = torch.randint(len(self.train.inputs) - LINE, (self.options.batch,), generator=generator)
            yield self.lines(self.train.inputs, self.share(starts))

    def tests(self, count: int) -> Iterator[Batch]:
        starts = torch.arange(0, len(self.test.inputs) - LINE, LINE)[:count or None]
        for some in starts.split(TEST_BATCH["text"]):
            yield self.lines(self.test.inputs, some)

    def lines(self, content: torch.Tensor, starts: torch.Tensor) -> Batch:
        places = (starts[:, None] + torch.arange(LINE + 1)).to(self.device)
        found = content[places].long()
        return found[:, :-1], found[:, 1:]


def task_of(options: Options, data: Data) -> Task:
    return (Text if options.data == "text" else Images)(options, data)


def seed_of(seed: int, epoch: int, rank: int = 0) -> int:
    """A seed for an epoch, so that a run that is continued needs no state of generators."""
    return (seed * 1000003 + epoch + 1 + 7919 * rank) % 2 ** 63


def generator_of(seed: int, epoch: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed_of(seed, epoch))
