"""doc/experiments: runs that are killed and go on, tables, reports, what is refused. The data are made here."""

from __future__ import annotations

import csv
import gzip
import json
import math
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("tqdm")
pytest.importorskip("transformers")

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parents[2] / "doc" / "experiments"
sys.path.insert(0, str(FOLDER))

import checkpoints  # noqa: E402 (found by the line above)
import data as data_module  # noqa: E402
import networks  # noqa: E402
import record  # noqa: E402
import run as program  # noqa: E402
import session  # noqa: E402
import tables  # noqa: E402
import tasks  # noqa: E402
import training  # noqa: E402
from fill import more_than_chance  # noqa: E402
from libsugar.torch import Activation  # noqa: E402
from options import FIELDS, Options, Wrong  # noqa: E402
from summary import rows  # noqa: E402

TIMES = ("ms_per_step", "seconds")
SMALL = ["--network", "mlp", "--depth", "2", "--width", "0.03", "--train-images", "400", "--test-images", "50",
         "--batch", "4", "--rate", "0.001"]


@pytest.fixture(autouse=True)
def settings():
    """Runs set what other tests must not find changed."""
    threads = torch.get_num_threads()
    handlers = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    yield
    for one, handler in handlers.items():
        signal.signal(one, handler)
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(False)


@pytest.fixture(scope="module")
def cifar(tmp_path_factory):
    """CIFAR-10's layout, each image brighter in a place that its label decides; more test images than one batch has."""
    folder = tmp_path_factory.mktemp("cifar") / "cifar-10-batches-bin"
    folder.mkdir()
    random = np.random.default_rng(1)
    for name in [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]:
        count = 600 if name == "test_batch.bin" else 100
        labels = random.integers(10, size=count, dtype=np.uint8)
        images = random.integers(100, size=(count, 3072), dtype=np.uint8)
        for label, image in zip(labels.tolist(), images):
            image[300 * label:300 * label + 300] += 100
        (folder / name).write_bytes(np.concatenate([labels[:, None], images], 1).tobytes())
    return folder.parent


@pytest.fixture(scope="module")
def fashion(tmp_path_factory):
    """Fashion-MNIST's layout."""
    folder = tmp_path_factory.mktemp("fashion")
    random = np.random.default_rng(2)
    for name, count in (("train", 200), ("t10k", 50)):
        images, labels = random.integers(256, size=(count, 28, 28)), random.integers(10, size=count)
        write_idx(folder / f"{name}-images-idx3-ubyte.gz", images)
        write_idx(folder / f"{name}-labels-idx1-ubyte.gz", labels)
    return folder


def write_idx(path, array):
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    path.write_bytes(gzip.compress(header + array.astype(np.uint8).tobytes()))


def command(*arguments):
    return [sys.executable, str(FOLDER / "run.py"), *map(str, arguments)]


def lines(path):
    return record.read(path)


def write(path, results):
    path.write_text("".join(json.dumps(one) + "\n" for one in results))


def without_times(result):
    return {name: value for name, value in result.items() if name not in TIMES}


# ---- Runs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how, status", [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_stopped_and_resumed(cifar, tmp_path, how, status):
    """What draws numbers and what changes with the epochs are in it."""
    options = ["run", "--folder", cifar, *SMALL, "--epochs", "6", "--activation", "rrelu~bsilu", "--blend-from", "1",
               "--blend-to", "0", "--augment", "flip-crop", "--note", "noted"]
    whole, killed = tmp_path / "whole.jsonl", tmp_path / "killed.jsonl"
    assert program.main([*map(str, options), "--output", str(whole)]) == 0
    with subprocess.Popen(command(*options, "--output", killed), stdout=subprocess.PIPE, text=True) as process:
        assert any(" epoch 2 of 6 " in line for line in process.stdout)
        process.send_signal(how)
    assert process.returncode == status and not killed.exists()
    killed.write_text('{"run": "half of a li')
    (checkpoint,) = (tmp_path / "checkpoints").glob("*.pt")
    assert len(checkpoints.load(checkpoint)["epochs"]) in (2, 3)
    assert program.main([*map(str, options), "--output", str(killed)]) == 0
    (one,), (other,) = lines(whole), lines(killed)
    assert without_times(one) == without_times(other)
    assert one["status"] == "done" and one["note"] == "noted" and len(one["epochs"]) == 6
    assert one["test_accuracy"] > 0.3 and not checkpoint.exists()
    assert killed.stat().st_size < record.MOST_BYTES
    assert program.main([*map(str, options), "--output", str(killed)]) == 0
    assert len(lines(killed)) == 1


def test_a_run_that_waits_can_be_stopped(cifar, tmp_path):
    """Another process has the run: its lock is held here."""
    options = ["run", "--folder", cifar, *SMALL, "--epochs", "1", "--output", tmp_path / "runs.jsonl"]
    with session.alone(tmp_path / "runs.jsonl", Options().changed(
            **dict(network="mlp", depth=2, width=0.03, train_images=400, test_images=50, batch=4, rate=0.001,
                   epochs=1)).identity(), True):
        with subprocess.Popen(command(*options), stderr=subprocess.PIPE, text=True) as process:
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(10)
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130


def test_other_data(cifar, tmp_path, capsys):
    """Results and checkpoints of one folder are none of another one, whose files have other contents."""
    changed = tmp_path / "cifar-10-batches-bin"
    shutil.copytree(cifar / "cifar-10-batches-bin", changed)
    content = bytearray((changed / "test_batch.bin").read_bytes())
    content[1] ^= 1
    (changed / "test_batch.bin").write_bytes(content)
    output = tmp_path / "out" / "runs.jsonl"
    options = ["run", *SMALL, "--epochs", "2", "--output", str(output), "--folder"]

    def stop(*_):
        training.stopping.set()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training.Run, "save", lambda self, save=training.Run.save: (save(self), stop()))
        assert program.main([*options, str(cifar)]) == 130
    training.stopping.clear()
    assert program.main([*options, str(changed)]) == 2
    assert "of data with the digest" in capsys.readouterr().err and not output.exists()
    assert program.main([*options, str(cifar)]) == 0
    (before,) = lines(output)
    assert program.main([*options, str(changed)]) == 2
    assert f"expected {before['data_digest']} as in {output}" in capsys.readouterr().err
    table = ["table", "variants", "--rows", "vgg16: relu", "--output", str(output), "--folder", str(changed)]
    assert program.main(table) == 2 and f"as in {output}" in capsys.readouterr().err


def test_another_machine(cifar, tmp_path, capsys, monkeypatch):
    """A run that goes on elsewhere says so."""
    output = tmp_path / "runs.jsonl"
    options = ["run", *SMALL, "--epochs", "2", "--output", str(output), "--folder", str(cifar)]
    here = training.machine(Options())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training.Run, "save", lambda self, save=training.Run.save: (save(self), training.stopping.set()))
        assert program.main(options) == 130
    training.stopping.clear()
    monkeypatch.setattr(training, "machine", lambda _: {**here, "processor": "another"})
    assert program.main(options) == 0
    (one,) = lines(output)
    assert one["machine"]["processor"] == "another" and one["machines_before"] == [here]
    assert "its line says so" in capsys.readouterr().out


def test_decay():
    """Only what multiplies inputs decays."""
    for network, activation in (("swin", "relu"), ("convnext", "relu"), ("vgg16-bn", "prelu")):
        options = Options().changed(network=network, activation=activation, weight_decay=0.1)
        model = networks.make(options, (3, 32, 32), 10).model
        decaying = {id(one) for one in training.optimizer_for(options, model).param_groups[0]["params"]}
        names = {name for name, one in model.named_parameters() if id(one) in decaying}
        layers = {f"{name}.weight" for name, one in model.named_modules()
                  if isinstance(one, (torch.nn.Linear, torch.nn.Conv2d))}
        assert names == layers


def test_normalisation():
    images = torch.randint(256, (50, 3, 8, 8), dtype=torch.uint8)
    mean, deviation = tasks.mean_and_deviation(images)
    wide = images.double()
    assert torch.allclose(mean, wide.mean((0, 2, 3), keepdim=True), rtol=1e-14)
    assert torch.allclose(deviation, wide.std((0, 2, 3), keepdim=True), rtol=1e-14)


@pytest.mark.parametrize("activation", ["relu", "prelu"])      # prelu's slopes leave libsugar's range before that
def test_diverged(cifar, tmp_path, activation):
    output = tmp_path / "runs.jsonl"
    assert program.main(["run", "--folder", str(cifar), *SMALL[:-1], "1000", "--epochs", "2", "--schedule", "constant",
                         "--activation", activation, "--output", str(output)]) == 0
    (one,) = lines(output)
    assert one["status"] == "diverged" and "test_accuracy" not in one and "NaN" not in output.read_text()


def test_diverged_in_the_last_test(cifar, tmp_path, monkeypatch):
    output, whole = tmp_path / "runs.jsonl", tasks.Images.evaluate

    def evaluate(task, count):
        tested, seen = whole(task, count)
        return ({**tested, "test_loss": math.inf} if count == 0 else tested), seen

    monkeypatch.setattr(tasks.Images, "evaluate", evaluate)
    assert program.main(["run", "--folder", str(cifar), *SMALL, "--test-images", "100", "--output", str(output)]) == 0
    (one,) = lines(output)
    assert one["status"] == "diverged" and len(one["epochs"]) > 0 and "Infinity" not in output.read_text()


@pytest.mark.parametrize("network", ["mlp", "mlp-bn"])
def test_two_processes(cifar, tmp_path, network):
    """They find what one finds, up to rounding; monitors count as one. Normalised, each has means of its own share."""
    options = ["run", "--folder", cifar, *SMALL, "--network", network, "--epochs", "2", "--augment", "flip-crop"]
    outputs = [tmp_path / "one.jsonl", tmp_path / "two.jsonl"]
    assert program.main([*map(str, options), "--output", str(outputs[0])]) == 0
    subprocess.run([sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
                    *command(*options, "--output", outputs[1])[1:]], check=True, capture_output=True,
                   env={**os.environ, "OMP_NUM_THREADS": "1"})
    (one,), (two,) = map(lines, outputs)
    assert two["options"]["processes"] == 2 and one["run"] != two["run"]
    for name in ("train_loss", "train_accuracy", "test_loss") * (network == "mlp"):
        assert [epoch[name] for epoch in two["epochs"]] == pytest.approx([epoch[name] for epoch in one["epochs"]],
                                                                         rel=1e-3)
    for name, layer in one["layers"].items():
        assert sum(two["layers"][name]["histogram"]) == sum(layer["histogram"]) == 600 * layer["units"]
        near = 1e-3 if network == "mlp" else 0.2
        assert two["layers"][name]["sparsity"] == pytest.approx(layer["sparsity"], abs=near)


def test_lines_are_appended_once(tmp_path):
    path = tmp_path / "runs.jsonl"
    epochs = [{"epoch": 1, "dead": 5}, {"epoch": 2, "dead": 4}]
    one, other = ({"run": name, "options": Options().values(), "data_digest": "0", "epochs": some} for name, some in (
        ("a", epochs), ("b", [])))
    assert record.append(path, one) and not record.append(path, {**one, "epochs": []})
    assert record.append(path, other)
    assert lines(path) == [one, other]


def test_blend():
    """From the first epoch's share of the surrogate to the last one's."""
    options = Options(network="mlp", activation="relu~bsilu", blend_from=1.0, blend_to=0.5, epochs=3)
    model = networks.make(options, (1, 28, 28), 10).model
    for epoch, share in enumerate((1.0, 0.75, 0.5)):
        training.set_blend(options, model, epoch)
        assert {one.blend for one in model.modules() if isinstance(one, Activation)} == {share}


def test_gradient_scale():
    """At each activation: two of them take half of it to a quarter. Nothing else changes."""
    gradients = []
    for scale in (1.0, 0.5):
        torch.manual_seed(1)
        model = networks.make(Options(network="mlp", depth=2, activation="relu~bsilu", gradient_scale=scale),
                              (1, 28, 28), 10).model
        loss = model(torch.ones(4, 1, 28, 28)).square().sum()
        loss.backward()
        gradients.append((loss.item(), [one.weight.grad for one in model if isinstance(one, torch.nn.Linear)]))
    (loss, before), (same, after) = gradients
    assert loss == same
    for one, other, factor in zip(before, after, (0.25, 0.5, 1.0)):
        assert one.abs().max() > 0 and torch.equal(factor * one, other)


@pytest.mark.parametrize("network, layers", [("mlp", 2), ("mlp-bn", 2), ("vgg16", 15), ("resnet18", 20)])
def test_initial_biases(network, layers):
    """They change those of hidden layers, or of their normalisations, and nothing else."""
    shape = (1, 28, 28) if network.startswith("mlp") else (3, 32, 32)
    depth = {"depth": 2} if network.startswith("mlp") else {}
    states = []
    for bias in (0.0, -1.0):
        torch.manual_seed(5)
        states.append(networks.make(Options(network=network, bias=bias, **depth), shape, 10).model.state_dict())
    changed = {name for name, value in states[0].items() if not torch.equal(value, states[1][name])}
    assert len(changed) == layers and all(name.endswith(".bias") for name in changed)
    assert all(states[1][name].eq(-1).all() for name in changed) and list(states[0])[-1] not in changed


def test_rates():
    """Of the steps of a schedule: up for a quarter of them, down to 0; and constant."""
    for schedule, first, most in (("one-cycle", 0.28, 1.0), ("cosine", 0.25, 1.0), ("constant", 1.0, 1.0)):
        options = Options(schedule=schedule, warmup=0.25, rate=1.0)
        rates = [training.rate_at(options, step, 16) for step in range(16)]
        assert rates[0] == pytest.approx(first) and max(rates) == rates[3] == most
        assert schedule == "constant" or (rates[10] == pytest.approx(0.5) and rates[-1] < 0.05)


def test_long_histories_are_thinned():
    result = {"run": "x", "epochs": [{"epoch": i, "test_accuracy": 0.123456} for i in range(1, 1001)]}
    made = record.line_of(result)
    epochs = json.loads(made)["epochs"]["epoch"]
    assert len(made) <= record.MOST_BYTES and len(epochs) > 200 and epochs[-1] == 1000


@pytest.mark.parametrize("network", ["vgg16", "vgg16-bn", "resnet18", "mlp", "mlp-bn", "swin", "convnext", "gpt2"])
def test_networks(network):
    text = network == "gpt2"
    options = Options(network=network, data="text" if text else "cifar10", activation="relu~nelu")
    model = networks.make(options, () if text else (3, 32, 32), 256 if text else 10).model
    inputs = torch.zeros(2, 128, dtype=torch.int64) if text else torch.randn(2, 3, 32, 32)
    assert model(inputs).shape == ((2, 128, 256) if text else (2, 10))
    kinds = [type(one).__name__ for one in model.modules()]
    assert kinds.count("Activation") >= 4
    assert not {"ReLU", "GELU", "GELUActivation", "NewGELUActivation"} & set(kinds)
    assert {one.spec for one in model.modules() if isinstance(one, Activation)} == {"relu~nelu(alpha=0.05)"}


# ---- Tables ----------------------------------------------------------------------------------------------------------


def test_table(fashion, tmp_path):
    output = tmp_path / "outlier.jsonl"
    options = ["table", "outlier", "--fashion-mnist", fashion, "--rows", "100: relu", "100: relu (normalised)",
               "--seeds", "1", "--jobs", "2", "--epochs", "1", "--train-images", "200", "--test-images", "0", "--batch",
               "50", "--output", output]
    subprocess.run(command(*options), check=True, capture_output=True)
    assert sorted(one["row"] for one in lines(output)) == ["100: relu", "100: relu (normalised)"]
    again = subprocess.run(command(*options), check=True, capture_output=True, text=True)
    assert "outlier is done" in again.stdout and len(lines(output)) == 2


def test_runs_of_other_tables(cifar, tmp_path, capsys):
    """VGG-16 stands in two tables: what one has run, the other takes over, under its own names of rows."""
    runs = [result(rate, 0.5, seed, train_images=20000)
            for rate, seed in ((0.02, 1), (0.05, 1), (0.1, 1), (0.02, 2), (0.01, 1), (0.02, 3))]
    runs[1]["test_accuracy"], runs[3]["test_accuracy"] = 0.4, 0.3
    runs[4]["test_accuracy"] = 0.4
    for one in runs:
        one["data_digest"] = data_module.load(Options(), str(cifar)).digest
    write(tmp_path / "vgg.jsonl", runs)
    output = tmp_path / "variants.jsonl"
    assert program.main(["table", "variants", "--rows", "vgg16: relu", "--output", str(output), "--folder",
                         str(cifar)]) == 0
    assert "variants is done" in capsys.readouterr().out
    assert {one["run"] for one in lines(output)} == {one["run"] for one in runs}
    assert {one["row"] for one in lines(output)} == {"vgg16: relu"}


@pytest.mark.parametrize("name, rows", [("vgg", ["relu", "bsilu"]), ("gpt2", ["gelu", "relu~bsilu"])])
def test_cost(capsys, name, rows):
    assert program.main(["cost", name, "--rows", *rows, "--rounds", "2", "--batch", "2"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 4 and "batches of 2, 1 thread(s), 2 rounds" in printed[0]
    assert printed[2].split()[0::2] == [rows[0], "1.000", "1.000"] and printed[3].startswith(rows[1])
    assert all(float(one) > 0 for one in printed[3].split()[1:])


def result(rate, accuracy, seed=1, **more):
    options = Options().changed(rate=rate, seed=seed, **more)
    made = {"run": options.identity(), "options": options.values(), "row": options.activation, "note": "",
            "data_digest": "0", "machine": {"torch": "2"}, "ms_per_step": 2.0, "seconds": 36.0,
            "epochs": [{"epoch": i + 1, "train_loss": 2.0, "train_accuracy": 0.1, "test_loss": 2.0, "dead": 1,
                        "test_accuracy": 0.1} for i in range(17, options.epochs)]}
    if accuracy is None:
        return {**made, "status": "diverged"}
    layer = {"units": 8, "dead": 2, "nearly_dead": 4, "sparsity": 0.5, "mean": 0.0, "deviation": 1.0,
             "histogram": [1] * 32}
    return {**made, "status": "done", "test_accuracy": accuracy, "test_loss": 2 - accuracy,
            "layers": {"1": layer, "3": layer}}


def wanted(results, extends=True):
    decision = tables.decide(Options(), (0.02, 0.05, 0.1), (1, 2, 3), extends, results)
    return decision.best, [(one.rate, one.seed) for one in decision.wanted], decision.later


def test_decisions():
    assert wanted([]) == (None, [(0.02, 1), (0.05, 1), (0.1, 1)], 2)
    some = [result(0.02, 0.5), result(0.05, 0.6)]
    assert wanted(some) == (None, [(0.1, 1)], 2)
    assert wanted([*some, result(0.1, None)]) == (0.05, [(0.05, 2), (0.05, 3)], 0)
    assert wanted([*some, result(0.1, None), result(0.05, 0.1, seed=2)]) == (0.05, [(0.05, 3)], 0)
    higher = [*some, result(0.1, 0.7)]
    assert wanted(higher) == (None, [(0.2, 1)], 2)
    assert wanted(higher, extends=False) == (0.1, [(0.1, 2), (0.1, 3)], 0)
    assert wanted([*higher, result(0.2, 0.7)]) == (0.1, [(0.1, 2), (0.1, 3)], 0)
    none = [result(rate, None) for rate in (0.02, 0.05, 0.1)]
    assert wanted(none) == (None, [(0.01, 1)], 2)
    dead = [result(0.02, None), result(0.05, 0.1), result(0.1, None)]
    assert wanted(dead) == (None, [(0.01, 1)], 2)
    assert wanted([*none, result(0.01, None), result(0.005, 0.3), result(0.002, 0.2)])[0] == 0.005


def test_rows_go_on_with_a_new_option(tmp_path):
    """Lines from before it are of the same row, and have its default in lists of runs."""
    before, after = result(0.02, 0.5), result(0.05, 0.6)
    del before["options"]["gradient_scale"]
    write(tmp_path / "vgg.jsonl", [before, after])
    (row,) = rows("vgg", lines(tmp_path / "vgg.jsonl"))
    assert list(row.screened) == [0.02, 0.05]
    assert program.main(["report", "--results", str(tmp_path), "--output", str(tmp_path)]) == 0
    with open(tmp_path / "all-runs.csv", newline="", encoding="utf-8") as file:
        assert [line["gradient_scale"] for line in csv.DictReader(file)] == ["1.0", "1.0"]


def test_names_of_runs():
    """Whoever adds an option must not change them: results that are there would be lost."""
    assert Options().identity() == "44136fa355b3"
    assert Options(activation="relu~bsilu").identity() != Options().identity()
    assert len({Options(seed=seed).identity() for seed in range(10)}) == 10


@pytest.mark.parametrize("name", tables.TABLES)
def test_tables_are_possible(name):
    for preset in ("minutes", "hours", "paper"):
        arguments = program.parser().parse_args(["table", name, "--preset", preset])
        options = program.options_of_rows(arguments, name)
        assert len(options) == len({one.identity() for one in options.values()}) == len(tables.TABLES[name].rows)


def test_report(tmp_path):
    results = [result(0.02, 0.5), result(0.05, 0.6), result(0.05, 0.8, seed=2), result(0.1, None),
               result(0.02, 0.9, seed=3), result(0.05, 0.55, activation="relu~bsilu"),
               result(0.02, None, activation="elu")]
    write(tmp_path / "vgg.jsonl", results)
    made = rows("vgg", results)
    assert [row.name for row in made] == ["relu", "elu", "relu~bsilu"]
    assert made[0].rate == 0.05 and made[0].of_layers("dead") == [2, 2] and made[0].of_units("nearly_dead") == 50
    assert made[0].accuracies == pytest.approx({1: 60, 2: 80}) and made[1].accuracies == {}
    longer = rows("vgg", [*results, result(0.05, 0.7, epochs=30)])
    assert [row.name for row in longer] == ["elu", "relu~bsilu", "relu (epochs 20)", "relu (epochs 30)"]
    own = rows("vgg", [result(0.02, 0.5, train_images=20000), result(0.02, 0.6, train_images=20000, epochs=30)])
    assert [row.name for row in own] == ["relu", "relu (epochs 30)"]
    assert made[2].paper == 88.35
    assert program.main(["report", "--results", str(tmp_path), "--output", str(tmp_path / "report")]) == 0
    page = (tmp_path / "report" / "report.html").read_text()
    assert page.count("<svg") == 8 and "<td>70.00</td>" in page and "<td>88.35</td>" in page
    table = (tmp_path / "report" / "vgg.csv").read_text().splitlines()
    assert table[1].startswith("relu,0.05,70.00,14.14,10.00,2,0,1.300,25.00,50.00,50.0,,")
    assert table[2].startswith("elu,none,,,,1,1,")
    assert len((tmp_path / "report" / "all-runs.csv").read_text().splitlines()) == 8
    assert "bias 0.0" in page and "blend_from" not in page
    (tmp_path / "low").mkdir()
    write(tmp_path / "low" / "runs.jsonl", [result(0.05, 0.5, bias=-1.0)])
    assert program.main(["report", "--results", str(tmp_path / "low"), "--output", str(tmp_path / "low")]) == 0
    assert "bias -1.0" in (tmp_path / "low" / "report.html").read_text()
    assert (tmp_path / "low" / "runs.csv").read_text().startswith("row,rate,")


def test_documents_say_what_lines_say(tmp_path):
    for file in (FOLDER.parent / "surrogates.md", FOLDER / "README.md"):
        assert "<!-- end of results -->" in file.read_text()
        document = tmp_path / file.name
        document.write_text(file.read_text())
        assert program.main(["fill", str(document), "--results", str(FOLDER / "results")]) == 0
        made_here = sorted(tmp_path.iterdir())      # the document and its plots
        assert [one.name for one in made_here] == (["rates.svg"] if file.name == "surrogates.md" else []) + [file.name]
        for made in made_here:
            assert made.read_text() == (file.parent / made.name).read_text(), f"run.py fill {file} brings it up to date"
            made.unlink()


def test_fill(tmp_path, capsys):
    write(tmp_path / "vgg.jsonl", [
        result(0.02, 0.5), result(0.05, 0.61), result(0.05, 0.8, 2), result(0.05, None, 3), result(0.1, None),
        result(0.02, None, activation="elu"), result(0.05, 0.6099, activation="gelu")])
    document = tmp_path / "text.md"
    places = ("<!-- results of vgg: accuracy, gain, training, dead after epoch 20, dead: elu, relu -->\nold\n"
              "<!-- end of results -->",
              "<!-- accuracy at each rate of vgg: relu -->\n<!-- end of results -->",
              "<!-- results of vgg: gain, rate: relu, gelu, elu -->\n<!-- end of results -->")
    document.write_text("before\n{}\nbetween\n{}\n{}\n".format(*places))
    assert program.main(["fill", str(document), "--results", str(tmp_path)]) == 0
    assert document.read_text() == """before
<!-- results of vgg: accuracy, gain, training, dead after epoch 20, dead: elu, relu -->
|  | test accuracy, % | against the first row | training accuracy, % | dead units after epoch 20 | dead units, % |
| --- | --- | --- | --- | --- | --- |
| `elu` | (one run, 1 diverged) |  |  |  |  |
| `relu` | 70.5 ± 13.4 (1 diverged) |  | 10.0 | 1.0 | 25.0 |
<!-- end of results -->
between
<!-- accuracy at each rate of vgg: relu -->
|  | 0.02 | 0.05 | 0.1 |
| --- | --- | --- | --- |
| `relu` | 50.0 | **61.0** | diverged |
<!-- end of results -->
<!-- results of vgg: gain, rate: relu, gelu, elu -->
|  | against the first row | rate |
| --- | --- | --- |
| `relu` |  | 0.05 |
| `gelu` | +0.0 | 0.05 |
| `elu` |  | none |
<!-- end of results -->
"""
    write(tmp_path / "vgg.jsonl", [
        result(0.05, 0.6 + itself, seed, activation=name)
        for name, by in (("elu", 0.1), ("relu~elu", 0.05), ("relu", 0))
        for seed, itself in ((1, by), (2, by + 0.01), (3, by))])
    document.write_text("<!-- surrogates of vgg: elu -->\n<!-- end of results -->\n")
    assert program.main(["fill", str(document), "--results", str(tmp_path)]) == 0
    assert document.read_text() == """<!-- surrogates of vgg: elu -->
|  | itself, % | `relu` with its derivative, % | difference |
| --- | --- | --- | --- |
| `elu` | 70.3 ± 0.6 | 65.3 ± 0.6 | **-5.0 ± 0.0** |
<!-- end of results -->
"""
    own = result(0.05, 0.6, train_images=20000)
    write(tmp_path / "vgg.jsonl", [own, result(0.05, 0.5, train_images=20000, width=0.25, epochs=3)])
    document.write_text("<!-- accuracy at each rate of vgg: relu (width 0.25, epochs 3), relu -->\n"
                        "<!-- end of results -->\n")
    assert program.main(["fill", str(document), "--results", str(tmp_path)]) == 0
    assert "| `relu (width 0.25, epochs 3)` | **50.0** |\n| `relu` | **60.0** |\n" in document.read_text()
    for wrong, message in (("results of swin: accuracy", "results of 'swin' are asked for, and there are none"),
                           ("results of vgg: accuracy: nonsense", "no row 'nonsense' of vgg, expected some of: relu"),
                           ("surrogates of vgg: elu", "no row 'elu' of vgg, expected some of: relu"),
                           ("surrogates of vgg", "no row '' of vgg"),
                           ("results of vgg: nonsense", "no column 'nonsense', expected some of: accuracy")):
        document.write_text(f"<!-- {wrong} -->\n<!-- end of results -->\n")
        assert program.main(["fill", str(document), "--results", str(tmp_path)]) == 2
        assert message in capsys.readouterr().err and wrong in document.read_text()


def test_fill_plots(tmp_path, capsys):
    write(tmp_path / "vgg.jsonl", [result(0.02, 0.5), result(0.05, 0.61), result(0.1, None),
                                   result(0.05, 0.4, activation="relu~elu")])
    document = tmp_path / "text.md"
    plot = tmp_path / "rates.svg"
    arguments = ["fill", str(document), "--results", str(tmp_path)]
    document.write_text("<!-- plot rates.svg: One = vgg: relu | Two & more = vgg: relu, relu~elu -->\n")
    for said in ("changed", "as it was"):
        assert program.main(arguments) == 0
        assert f"text.md: {said}\n" in capsys.readouterr().out
    texts = re.findall("<!-- (.*) -->", plot.read_text())
    assert {"One", "Two &amp; more", "relu", "relu~elu", "0.05"} <= set(texts) and texts.count("relu") == 1
    first = plot.read_bytes()
    for wrong, message in (("relu", "no panel of a plot: 'relu', expected: title = table: row, row"),
                           ("One = vgg: nonsense", "no row 'nonsense' of vgg, expected some of: relu"),
                           ("One = vgg: relu, relu", "panel 'One' has rows 'relu, relu', expected ones that differ"),
                           ("One = vgg: relu | One = vgg: relu", "two panels of a plot have the title 'One'"),
                           ("One = swin: relu", "results of 'swin' are asked for, and there are none")):
        document.write_text(f"<!-- plot rates.svg: {wrong} -->\n")
        assert program.main(arguments) == 2
        assert message in capsys.readouterr().err and plot.read_bytes() == first
    write(tmp_path / "vgg.jsonl", [result(0.02, 0.5), result(0.05, 0.62), result(0.1, None)])
    document.write_text("<!-- plot rates.svg: One = vgg: relu -->\n")
    assert program.main(arguments) == 0 and plot.read_bytes() != first


@pytest.mark.parametrize("slip", ["<!-- plot rates.png: One = vgg: relu -->\n", "<!-- results of vgg accuracy -->\n",
                                  "<!-- results of vgg: accuracy -->\nand no end\n",
                                  "<!-- results of vgg: rate -->\n" * 2 + "<!-- end of results -->"])
def test_fill_raises_where_a_place_has_a_slip(tmp_path, capsys, slip):
    write(tmp_path / "vgg.jsonl", [result(0.02, 0.5)])
    document = tmp_path / "text.md"
    document.write_text(slip)
    assert program.main(["fill", str(document), "--results", str(tmp_path)]) == 2
    assert "is no place for results" in capsys.readouterr().err and document.read_text() == slip


def test_plot_of_rows_that_no_rate_trains(tmp_path):
    write(tmp_path / "vgg.jsonl", [result(0.02, None), result(0.05, 0.1)])
    document = tmp_path / "text.md"
    document.write_text("<!-- plot rates.svg: One = vgg: relu -->\n")
    assert program.main(["fill", str(document), "--results", str(tmp_path)]) == 0
    assert "<!-- relu -->" in (tmp_path / "rates.svg").read_text()


def test_more_than_chance():
    assert more_than_chance([1.0, 1.2, 0.8]) and more_than_chance([-1.0, -1.2, -0.8])
    assert not more_than_chance([1.0, 1.4, 0.4]) and not more_than_chance([1.0, 1.0])


def test_listing(tmp_path, capsys):
    results = [result(rate, accuracy, train_images=20000) for rate, accuracy in
               ((0.01, 0.5), (0.02, 0.6), (0.05, 0.5), (0.1, 0.4))]
    write(tmp_path / "vgg.jsonl", results)
    assert program.main(["list", "--results", str(tmp_path)]) == 0
    found = {line.split()[0]: line.split()[1:5] for line in capsys.readouterr().out.splitlines()}
    assert found["vgg"] == ["19", "4", "92", "0.9"] and found["variants"][2:] == ["120", "?"]
    assert found["vgg-bn"][1] == "0" and set(tables.TABLES) < set(found)


# ---- What is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments, message", [
    (["--rate", "nan"], "--rate: nan, expected 1e-09 to 1000"),
    (["--epochs", "0"], "--epochs: 0, expected 1 to inf"),
    (["--activation", "relu~nonsense"], "--activation: 'relu~nonsense', expected a spec of libsugar"),
    (["--blend-from", "0.5"], "--blend-from: 0.5, expected -1: relu has no surrogate"),
    (["--blend-to", "0.5", "--activation", "relu~elu"], "--blend-from: -1, expected 0 to 1, as --blend-to is given"),
    (["--network", "gpt2", "--data", "cifar10"], "--data: cifar10, expected text for gpt2"),
    (["--depth", "3"], "--depth: 3, expected 0: it means nothing to vgg16"),
    (["--network", "swin", "--init", "lecun"], "--init: lecun, expected he: it means nothing to swin"),
    (["--blend-from=-0.5"], "--blend-from: -0.5, expected 0 to 1, or -1"),
    (["--train-images", "100", "--test-images", "601"], "--test-images: 601, expected at most 600 for this data"),
    (["--data", "text"], "--data: text, expected text for gpt2 and images for other networks"),
    (["--processes", "2"], "--processes: 2, expected 1, as many as torchrun started"),
    (["--train-images", "501"], "--train-images: 501, expected at most 500"),
    (["--train-images", "100", "--test-images", "0", "--batch", "101"],
     "--batch: 101, expected at most the 100 training samples"),
    (["--data", "fashion-mnist", "--fashion-mnist", "nowhere"], "--fashion-mnist: nowhere/train-images"),
    (["--folder", "nowhere"], "--folder: nowhere/data_batch_1.bin: No such file"),
    (["--network", "gpt2", "--text", "/dev/zero"], "--text: /dev/zero: a folder or a device, expected a file"),
])
def test_wrong_options(cifar, tmp_path, capsys, arguments, message):
    folder = [] if "--folder" in arguments else ["--folder", str(cifar)]
    assert program.main(["run", *folder, *arguments, "--output", str(tmp_path / "runs.jsonl")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "runs.jsonl").exists()


@pytest.mark.parametrize("arguments, message", [
    (["table", "vgg", "--rows", "relu", "nonsense"], "--rows: 'nonsense', expected some of: relu, "),
    (["table", "vgg", "--rates", "0.1,x"], "--rates: '0.1,x', expected numbers separated by commas"),
    (["table", "vgg", "--jobs", "0"], "--jobs: 0, expected 1 or more"),
    (["table", "vgg", "--rate", "0.1"], "--rate: 0.1, expected --rates, as rows have several"),
    (["table", "vgg", "--seed", "7"], "--seed: 7, expected --seeds, as rows have several"),
    (["table", "vgg", "--processes", "2"], "--processes: 2, expected 1: torchrun is for `run` alone"),
    (["table", "vgg", "--activation", "elu"], "--activation: elu, expected relu, which row 'relu' has"),
    (["table", "decay", "--weight-decay", "0.01"], "--weight-decay: 0.01, expected 0.0005, which row '0.0005: relu'"),
    (["table", "depth", "--depth", "3"], "--depth: 3, expected 6, which row '6 layers: relu' has"),
    (["table", "low", "--fashion-mnist", "{fashion}", "--output", "/dev/null"],
     "/dev/null: a folder or a device, expected a file of results"),
    (["run", "--note", "drawn"], "--note: 'drawn', expected none without --folder, --fashion-mnist or --text"),
    (["table", "low", "--note", "drawn"], "--note: 'drawn', expected none without --folder, --fashion-mnist or"),
    (["fill", "nowhere.md", "--results", str(FOLDER / "results")], "No such file or directory: 'nowhere.md'"),
    (["list", "--jobs", "0"], "--jobs: 0, expected 1 or more"),
    (["cost", "vgg", "--rounds", "0"], "--rounds: 0, expected 1 or more"),
    (["cost", "depth"], "--rows: of mlp of depth 12, mlp of depth 24, mlp of depth 6"),
    (["cost", "vgg", "--processes", "2"], "--device, --processes: cpu, 2, expected cpu, 1"),
    (["report", "--results", "nowhere"], "--results: nowhere has no file of results"),
])
def test_wrong_commands(fashion, tmp_path, capsys, arguments, message):
    if arguments[0] in ("table", "report", "run") and "--output" not in arguments:
        arguments = [*arguments, "--output", str(tmp_path / "out")]
    assert program.main([one.format(fashion=fashion) for one in arguments]) == 2
    assert message in capsys.readouterr().err


def test_wrong_results(tmp_path, capsys):
    (tmp_path / "vgg.jsonl").write_text('{"run": "a", "options": {}, "data_digest": "0", "epochs": []}\nnonsense\n')
    assert program.main(["list", "--results", str(tmp_path)]) == 2
    assert "vgg.jsonl:2: Expecting value" in capsys.readouterr().err
    (tmp_path / "vgg.jsonl").write_text('{"name": "of something else"}\n')
    assert program.main(["list", "--results", str(tmp_path)]) == 2
    assert "vgg.jsonl:1: not a result, expected" in capsys.readouterr().err


def test_wrong_files(cifar, fashion, tmp_path):
    layout = data_module.CIFAR["cifar10"]
    whole = (cifar / "cifar-10-batches-bin" / "test_batch.bin").read_bytes()
    for content, message in ((whole[:-1], "1843799 bytes, expected a multiple of 3073"), (b"", "0 bytes"),
                             (whole[:3073] + b"\x0a" + whole[3074:], "image 1 has label 10, expected 0 to 9")):
        with pytest.raises(Wrong, match=message):
            data_module.batch(Path("file"), content, layout)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    short_of_pixels = struct.pack(">BBBB3I", 0, 0, 8, 3, 2, 28, 28) + bytes(99)
    for content, message in ((b"no gzip", "expected a file of gzip"),
                             (gzip.compress(b"\0\0\x08\x01" + bytes(16)), "begins with 00000801, expected 00000803"),
                             (gzip.compress(short_of_pixels), "has 99 elements, expected 1568")):
        path.write_bytes(content)
        with pytest.raises(Wrong, match=message):
            data_module.idx(path, 3)
    short = tmp_path / "short"
    short.write_text("a few words")
    with pytest.raises(Wrong, match="--text: .* has 11 bytes, expected a text of 10000 or more"):
        data_module.text(short)


def test_pins():
    """The experiments run with what the tests ran with."""
    ours, tested = (dict(line.split("==") for line in path.read_text().splitlines() if "==" in line)
                    for path in (FOLDER / "requirements.txt", HERE / "torch.txt"))
    assert {name: ours[name] for name in ours if name in tested} == {name: tested[name] for name in ours
                                                                     if name in tested}
    assert {"torch", "numpy", "transformers", "matplotlib", "tqdm"} <= ours.keys()


def test_every_option_has_a_flag():
    help_text = " ".join(program.parser().parse_args(["run"]).__dict__)
    assert all(name in help_text for name in FIELDS)
