"""Writes the table of errors in doc/guide.md from what the suites `accuracy` and `exhaustive` measured.

    python3 tests/accuracy/table.py [ACCURACY.json EXHAUSTIVE.json]

The files are those of the build folder, build/accuracy.json and build/exhaustive.json, unless named.
"""
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
GUIDE = ROOT / "doc" / "guide.md"
BEGIN, END = "<!-- errors: begin -->\n", "<!-- errors: end -->\n"
COLUMNS = [("f32", "value"), ("f32", "derivative"), ("f64", "value"), ("f64", "derivative")]


def read(path):
    """The measurements with default parameters, by kind, element type and direction."""
    with open(path, encoding="utf-8") as file:
        results = json.load(file)["results"]
    return {(r["kind"], r["type"], r["direction"]): r for r in results if r["defaults"]}


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


def main():
    paths = sys.argv[1:] or [ROOT / "build" / "accuracy.json", ROOT / "build" / "exhaustive.json"]
    if len(paths) != 2:
        sys.exit(__doc__)
    text = GUIDE.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        sys.exit(f"{GUIDE}: no place for the table between {BEGIN.strip()} and {END.strip()}")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    GUIDE.write_text(before + BEGIN + table(*map(read, paths)) + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
