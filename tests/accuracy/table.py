"""Writes the tables of errors in doc/numbers.md, from what the suites `accuracy`, `exhaustive` and `peers`
measured.

    python3 tests/accuracy/table.py [ACCURACY.json EXHAUSTIVE.json]
    python3 tests/accuracy/table.py --kind KIND ACCURACY.json EXHAUSTIVE.json
                                                                the rows of one kind, in both tables
    python3 tests/accuracy/table.py --short ACCURACY.json       those of f16 and bf16 alone
    python3 tests/accuracy/table.py --second ACCURACY.json EXHAUSTIVE.json
                                                                that of second derivatives alone
    python3 tests/accuracy/table.py --peers PEERS.json

The files are those of the build folder, build/accuracy.json and build/exhaustive.json, unless named.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import peers  # noqa: E402 (the line above says where it is)
import results  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
NUMBERS = ROOT / "doc" / "numbers.md"
NUMBER = (int, float)
BEGIN, END = "<!-- errors: begin -->\n", "<!-- errors: end -->\n"
COLUMNS = [("f32", "value"), ("f32", "derivative"), ("f64", "value"), ("f64", "derivative")]
SHORT_BEGIN, SHORT_END = "<!-- short errors: begin -->\n", "<!-- short errors: end -->\n"
SHORT_COLUMNS = [("f16", "value"), ("f16", "derivative"), ("bf16", "value"), ("bf16", "derivative")]

SECOND_BEGIN, SECOND_END = "<!-- second errors: begin -->\n", "<!-- second errors: end -->\n"


def read(path):
    """The measurements with default parameters, by kind, element type and direction."""
    found = results.load(path, "the suite `accuracy` or `exhaustive`", (), {
        "kind": str, "type": str, "direction": str, "defaults": bool, "max_ulp": NUMBER,
        "at": (*NUMBER, str, type(None)), "correctly_rounded": NUMBER})["results"]
    return {(r["kind"], r["type"], r["direction"]): r for r in found if r["defaults"]}


def cell(result):
    if result is None:
        return "|"
    if result["at"] is None:
        return "exact |"
    share = 100 * result["correctly_rounded"]
    share = "all" if share == 100 else f"{min(share, 99.99):.2f} %"
    return f"{result['max_ulp']:.3f} at {float(result['at']):.6g} ({share}) |"


def table(accuracy, exhaustive):
    measured = {**accuracy, **exhaustive}
    kinds = list(dict.fromkeys(kind for kind, _, _ in accuracy))
    lines = ["| kind | f32 value | f32 derivative | f64 value | f64 derivative |", "|---|---|---|---|---|"]
    for kind in kinds:
        lines.append(f"| {kind} | " + " ".join(cell(measured.get((kind, *column))) for column in COLUMNS))
    return "\n".join(lines) + "\n"


def short_cell(result):
    if result is None:
        return "|"
    share = result["correctly_rounded"]
    share = "all" if share == 1 else f"{min(100 * share, 99.999):.3f} %"
    return f"{result['max_ulp']:.4f} ({share}) |"


def short_table(accuracy):
    kinds = list(dict.fromkeys(kind for kind, _, _ in accuracy))
    lines = ["| kind | f16 value | f16 derivative | bf16 value | bf16 derivative |", "|---|---|---|---|---|"]
    for kind in kinds:
        cells = [short_cell(accuracy.get((kind, *column))) for column in SHORT_COLUMNS]
        lines.append(f"| {kind} | " + " ".join(cells))
    return "\n".join(lines) + "\n"


def second_table(accuracy, exhaustive):
    """Of the kinds whose second derivative is not 0 wherever it exists."""
    measured = {**accuracy, **exhaustive}
    lines = ["| kind | f32 | f64 |", "|---|---|---|"]
    for kind in dict.fromkeys(kind for kind, _, way in accuracy if way == "second"):
        cells = [cell(measured.get((kind, dtype, "second"))) for dtype in ("f32", "f64")]
        if cells != ["exact |"] * 2:
            lines.append(f"| {kind} | " + " ".join(cells))
    return "\n".join(lines) + "\n"


def peer_cell(errors):
    if errors is None:
        return "|"
    ulps = str(errors) if errors.ulps == 0 else f"{errors}, {errors.absolute:.1e}"
    return f"{ulps} ({', '.join(errors.lost)}) |" if errors.lost else f"{ulps} |"


def peer_table(found):
    """f32: the functions that some peer has and does not round correctly."""
    names = list(found["versions"])
    rows = {}
    for (kind, way, dtype, name), errors in peers.read(found).items():
        if dtype == "f32":
            rows.setdefault(f"{kind} {way}", {})[name] = errors
    heads = [f"{name} {found['versions'][name]}" for name in names]
    lines = ["| function | " + " | ".join(heads) + " |", "|---|" + "---|" * len(names)]
    for function, each in rows.items():
        if len(each) > 1 and any(errors.ulps > 0.5 for errors in each.values()):
            lines.append(f"| {function} | " + " ".join(peer_cell(each.get(name)) for name in names))
    return "\n".join(lines) + "\n"


def peer_others(found):
    """The other element types: who does not keep 4 ULP."""
    dtypes = ("f64", "f16", "bf16")
    rows = {}
    for (kind, way, dtype, name), errors in peers.read(found).items():
        if dtype in dtypes and not errors.keeps:
            rows.setdefault(f"{kind} {way}", {}).setdefault(dtype, []).append(f"{name} {errors}")
    lines = [f"| function | {' | '.join(dtypes)} |", "|---|" + "---|" * len(dtypes)]
    for function, each in rows.items():
        lines.append(f"| {function} | " + " | ".join("; ".join(each.get(dtype, [])) for dtype in dtypes) + " |")
    return "\n".join(lines) + "\n"


def replace(begin, end, text):
    numbers = NUMBERS.read_text(encoding="utf-8")
    if numbers.count(begin) != 1 or numbers.count(end) != 1:
        sys.exit(f"{NUMBERS}: no place for the table between {begin.strip()} and {end.strip()}")
    before, rest = numbers.split(begin)
    NUMBERS.write_text(before + begin + text + end + rest.split(end)[1], encoding="utf-8")


def sweep_of_all(accuracy, exhaustive):
    """What a sweep of some kinds lacks would be replaced by sampled figures, which are smaller."""
    swept = {kind for kind, _, _ in exhaustive}
    lacking = sorted({kind for kind, _, _ in accuracy} - swept)
    if lacking:
        sys.exit(f"the exhaustive sweep lacks {', '.join(lacking)}; expected all kinds, or --kind KIND")
    return exhaustive


def replace_row(begin, kind, text, names):
    """The row of one kind, in the order of the catalogue; it may be new."""
    numbers = NUMBERS.read_text(encoding="utf-8")
    block = numbers.split(begin)[1].split("<!--")[0]
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in block.splitlines()[2:]}
    rows[kind] = next(line for line in text.splitlines() if line.startswith(f"| {kind} |"))
    new = "\n".join(block.splitlines()[:2] + [rows[name] for name in names if name in rows]) + "\n"
    NUMBERS.write_text(numbers.replace(block, new), encoding="utf-8")


def replace_kind(kind, accuracy, exhaustive):
    names = list(dict.fromkeys(name for name, _, _ in accuracy))
    if kind not in names or kind not in {name for name, _, _ in exhaustive}:
        sys.exit(f"{kind}: not in both files")
    replace_row(BEGIN, kind, table(accuracy, exhaustive), names)
    replace_row(SHORT_BEGIN, kind, short_table(accuracy), names)


def main():
    arguments = sys.argv[1:]
    if len(arguments) == 4 and arguments[0] == "--kind":
        replace_kind(arguments[1], read(arguments[2]), read(arguments[3]))
        return
    if len(arguments) == 2 and arguments[0] == "--peers":
        found = peers.load(arguments[1])
        replace(f"<!-- peers {found['level']}: begin -->\n", f"<!-- peers {found['level']}: end -->\n",
                f"{found['cpu']}, level {found['level']}.\n\n{peer_table(found)}\n{peer_others(found)}")
        return
    if len(arguments) == 2 and arguments[0] == "--short":
        replace(SHORT_BEGIN, SHORT_END, short_table(read(arguments[1])))
        return
    if len(arguments) == 3 and arguments[0] == "--second":
        replace(SECOND_BEGIN, SECOND_END, second_table(*map(read, arguments[1:])))
        return
    paths = arguments or [ROOT / "build" / "accuracy.json", ROOT / "build" / "exhaustive.json"]
    if len(paths) != 2:
        sys.exit(__doc__)
    accuracy, exhaustive = map(read, paths)
    replace(BEGIN, END, table(accuracy, sweep_of_all(accuracy, exhaustive)))


if __name__ == "__main__":
    main()
