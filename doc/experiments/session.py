"""A run in this process, or in all that torchrun started: one at a time, and never twice."""

from __future__ import annotations

import fcntl
import os
import signal
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import torch
from torch import distributed

import record
from data import Data, load
from options import Options, Wrong
from training import Run, stopping


def run_here(options: Options, place: str | None, output: Path, words: dict[str, str]) -> None:
    """Does a run, from its checkpoint if it has one, unless it has a result. words go into the result."""
    set_up(options)
    data = load(options, place)
    record.check_data(output, options.data, data.digest)
    with processes(options) as first, alone(output, options.identity(), first) as checkpoint:
        if any(one["run"] == options.identity() for one in record.read(output)):
            say(first, f"{options.identity()} is done: {options.label()}")
        else:
            train(options, data, output, checkpoint, first, words)
        if first:
            checkpoint.unlink(missing_ok=True)


def set_up(options: Options) -> None:
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: stopping.set())
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")     # without it matrix products are not deterministic
    torch.set_num_threads(options.threads)
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False     # it takes time, and nothing here reads any
    if options.device == "cuda" and not torch.cuda.is_available():
        raise Wrong("--device: cuda, expected cpu: PyTorch finds no such device")
    if options.device == "cuda":
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))     # which torchrun gives each process of a machine


@contextmanager
def processes(options: Options) -> Iterator[bool]:
    """Joins those that torchrun started; whether this is the first."""
    started = int(os.environ.get("WORLD_SIZE", 1))
    if started != options.processes:
        raise Wrong(f"--processes: {options.processes}, expected {started}, as many as torchrun started")
    if started == 1:
        yield True
        return
    distributed.init_process_group("nccl" if options.device == "cuda" else "gloo")
    try:
        yield distributed.get_rank() == 0
    finally:
        distributed.destroy_process_group()


@contextmanager
def alone(output: Path, name: str, first: bool) -> Iterator[Path]:
    """The run's checkpoint, while no other process has it: another one with the same run waits, and finds it done."""
    checkpoint = output.parent / "checkpoints" / f"{name}.pt"
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    with open(checkpoint.with_suffix(".lock"), "w") as lock:
        while first:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if stopping.wait(0.5):      # flock itself would go on waiting after a signal
                    raise KeyboardInterrupt from None
        if distributed.is_initialized():
            distributed.barrier()
        yield checkpoint


def train(options: Options, data: Data, output: Path, checkpoint: Path, first: bool,
          words: dict[str, str]) -> None:
    made = Run(options, data, checkpoint)
    if len(made.machines) > 1:
        say(first, f"{options.identity()} goes on with other code or elsewhere than it began; its line says so")

    def progress(epoch: int) -> None:
        figures = ", ".join(f"{name} {value:g}" for name, value in made.epochs[-1].items()) if made.epochs else ""
        say(first, f"{options.identity()} epoch {epoch} of {options.epochs} {figures}")

    progress(len(made.epochs))
    result = {**made.finish(progress), **words}
    if first:
        record.append(output, result)
        say(first, f"{options.identity()} {result['status']}: {output}")


def say(first: bool, text: str) -> None:
    if first:
        print(text, flush=True)
