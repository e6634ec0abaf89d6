"""Results: one line of JSON a run, which a kill at any moment leaves whole."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any

from options import Options, Wrong

MOST_BYTES = 12000      # of a line: histories are thinned out to fit


def read(path: Path) -> list[dict[str, Any]]:
    """All results of a file, each with the options that came after it, as they were then; a last line that a kill cut
    off is none."""
    if not path.exists():
        return []
    if not path.is_file():
        raise Wrong(f"{path}: a folder or a device, expected a file of results")
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    made = []
    for number, line in enumerate(lines, 1):
        try:
            one = json.loads(line)
        except json.JSONDecodeError as error:
            raise Wrong(f"{path}:{number}: {error}, expected a result as JSON in one line") from error
        if not isinstance(one, dict) or not {"run", "options", "epochs", "data_digest"} <= one.keys():
            raise Wrong(f"{path}:{number}: not a result, expected one with its run, options, epochs and data_digest")
        if isinstance(one["epochs"], dict):     # columns, which are shorter than a dict for each epoch
            one["epochs"] = [dict(zip(one["epochs"], values)) for values in zip(*one["epochs"].values())]
        one["options"] = {**Options().values(), **one["options"]}
        made.append(one)
    return made


def check_data(path: Path, data: str, digest: str) -> None:
    """A file of results has one set of data under a name: other files would be no reason to run anything again."""
    for one in read(path):
        if one["options"]["data"] == data and one["data_digest"] != digest:
            raise Wrong(f"{data}: files with the digest {digest}, expected {one['data_digest']} as in {path}; "
                        f"results of other data need another --output")


def append(path: Path, result: dict[str, Any]) -> bool:
    """Adds a result as one whole line, unless the run has one. Many processes may do so at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        content = file.read()
        whole = content.rfind(b"\n") + 1
        file.truncate(whole)        # what a kill cut off
        if any(json.loads(line)["run"] == result["run"] for line in content[:whole].splitlines()):
            return False
        file.write(line_of(result).encode())
        file.flush()
        os.fsync(file.fileno())
    return True


def line_of(result: dict[str, Any]) -> str:
    """A result in a line, its epochs as columns; if it is too long, it keeps each so manyth epoch, and the last."""
    epochs = result["epochs"]
    while True:
        columns = {name: [epoch[name] for epoch in epochs] for name in epochs[0]} if epochs else {}
        line = json.dumps({**result, "epochs": columns}, separators=(",", ":")) + "\n"
        if len(line) <= MOST_BYTES or len(epochs) <= 10:
            return line
        epochs = epochs[:-1][1::2] + epochs[-1:]
