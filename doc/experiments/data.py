"""Data sets, from files in their own layouts, as tensors of bytes."""

from __future__ import annotations

import gzip
import hashlib
import struct
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from options import Options, Wrong

FASHION_MNIST = "/usr/share/datasets/fashion-mnist"     # where Debian's dataset-fashion-mnist puts it


class Samples(NamedTuple):
    """Inputs, bytes in NCHW or a line of bytes of text, and labels (images alone)."""

    inputs: torch.Tensor
    labels: torch.Tensor


class Data(NamedTuple):
    """What a network learns, and what it is tested with. `digest` tells one folder's files from another's."""

    train: Samples
    test: Samples
    classes: int
    digest: str


class Layout(NamedTuple):
    """CIFAR's binary layout: of each image so many bytes of labels, the last of which is meant, then its planes."""

    folder: str
    train: tuple[str, ...]
    test: str
    label_bytes: int
    classes: int


CIFAR = {
    "cifar10": Layout("cifar-10-batches-bin", tuple(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin",
                      1, 10),
    "cifar100": Layout("cifar-100-binary", ("train.bin",), "test.bin", 2, 100),
}
PIXELS = 3 * 32 * 32


def load(options: Options, place: str | None) -> Data:
    """The data that options name; place is where the files lie, for text the file itself."""
    if options.data == "fashion-mnist":
        return fashion_mnist(Path(place or FASHION_MNIST))
    if place is None:
        flag = "--text" if options.data == "text" else "--folder"
        raise Wrong(f"{flag}: not given, expected where {options.data} lies")
    if options.data == "text":
        return text(Path(place))
    return cifar(options.data, Path(place))


def contents(flag: str, path: Path) -> bytes:
    if path.exists() and not path.is_file():        # /dev/zero has no end
        raise Wrong(f"{flag}: {path}: a folder or a device, expected a file")
    try:
        return path.read_bytes()
    except OSError as error:
        raise Wrong(f"{flag}: {path}: {error.strerror}, expected a file that can be read") from error


def digest_of(*parts: bytes) -> str:
    made = hashlib.sha256()
    for part in parts:
        made.update(part)
    return made.hexdigest()[:16]


def cifar(name: str, folder: Path) -> Data:
    """From the folder with the files, or the one that has it."""
    layout = CIFAR[name]
    if (folder / layout.folder).is_dir():
        folder = folder / layout.folder
    parts = {file: contents("--folder", folder / file) for file in (*layout.train, layout.test)}
    made = {file: batch(folder / file, part, layout) for file, part in parts.items()}
    train = [made[file] for file in layout.train]
    return Data(Samples(torch.cat([one.inputs for one in train]), torch.cat([one.labels for one in train])),
                made[layout.test], layout.classes, digest_of(*parts.values()))


def batch(path: Path, content: bytes, layout: Layout) -> Samples:
    record = layout.label_bytes + PIXELS
    if not content or len(content) % record:
        raise Wrong(f"--folder: {path} has {len(content)} bytes, expected a multiple of {record}")
    rows = np.frombuffer(content, np.uint8).reshape(-1, record)
    labels = rows[:, layout.label_bytes - 1]
    if labels.max() >= layout.classes:
        at = int(np.argmax(labels >= layout.classes))
        raise Wrong(f"--folder: {path}: image {at} has label {labels[at]}, expected 0 to {layout.classes - 1}")
    inputs = torch.from_numpy(rows[:, layout.label_bytes:].copy()).view(-1, 3, 32, 32)
    return Samples(inputs, torch.from_numpy(labels.astype(np.int64)))


def fashion_mnist(folder: Path) -> Data:
    samples, parts = [], []
    for name in ("train", "t10k"):
        inputs = idx(folder / f"{name}-images-idx3-ubyte.gz", 3)
        labels = idx(folder / f"{name}-labels-idx1-ubyte.gz", 1)
        if len(inputs) != len(labels) or labels.max() > 9:
            raise Wrong(f"--fashion-mnist: {folder}: {len(inputs)} images and {len(labels)} labels up to "
                        f"{labels.max()} of {name}, expected as many of both, and labels from 0 to 9")
        parts += [inputs.tobytes(), labels.tobytes()]
        samples.append(Samples(torch.from_numpy(inputs).unsqueeze(1), torch.from_numpy(labels.astype(np.int64))))
    return Data(samples[0], samples[1], 10, digest_of(*parts))


def idx(path: Path, dimensions: int) -> np.ndarray[Any, Any]:
    """A file in MNIST's layout: 0, 0, 8 for bytes, the number of dimensions, their extents, the elements."""
    try:
        content = gzip.decompress(contents("--fashion-mnist", path))
    except (OSError, EOFError) as error:
        raise Wrong(f"--fashion-mnist: {path}: {error}, expected a file of gzip") from error
    start = 4 + 4 * dimensions
    if content[:4] != bytes([0, 0, 8, dimensions]) or len(content) < start:
        raise Wrong(f"--fashion-mnist: {path} begins with {content[:4].hex()}, expected 000008{dimensions:02x}")
    shape = struct.unpack(f">{dimensions}I", content[4:start])
    if len(content) - start != np.prod(shape) or not len(content) - start:
        raise Wrong(f"--fashion-mnist: {path} has {len(content) - start} elements, expected {np.prod(shape)}: {shape}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape).copy()


def text(path: Path) -> Data:
    """The bytes of a file: its last tenth is what it is tested with."""
    content = contents("--text", path)
    if len(content) < 10000:
        raise Wrong(f"--text: {path} has {len(content)} bytes, expected a text of 10000 or more")
    line = torch.from_numpy(np.frombuffer(content, np.uint8).copy())
    cut = len(line) * 9 // 10
    none = torch.empty(0, dtype=torch.int64)
    return Data(Samples(line[:cut], none), Samples(line[cut:], none), 256, digest_of(content))
