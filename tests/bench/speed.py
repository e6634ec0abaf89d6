"""Writes the tables of doc/speed.md, and the machine that they are from, from what a benchmark run measured.

    python3 tests/bench/speed.py [BENCH.json [SPEED.md [PEERS.json]]]

The files are build/bench.json, doc/speed.md and build/peers.json, unless named. The last one has the errors of the
peers, at the same level: SUGAR_LEVEL=... sh tests/run.sh peers.
"""
import pathlib
import sys
import textwrap

from goals import CACHE, CHEAP, LIMITS, RAM, errors_at, geometric_means, goals, is_peer, load, read, warning, within

ROOT = pathlib.Path(__file__).resolve().parents[2]
WAYS, TYPES = ("forward", "backward"), ("f32", "f64", "f16", "bf16")


def row(cells):
    return "| " + " | ".join(cells) + " |\n"


def heading(cells):
    return row(cells) + "|" + "---|" * len(cells) + "\n"


def fastest(case, wanted, errors):
    """The fastest of those wanted, with its name and, if they were measured, its errors; and its time over ours."""
    found = case and case.fastest(wanted)
    if not found:
        return ["", ""]
    name, ratio = found
    error = errors.get((case.kind, case.way, case.dtype, name))
    return [f"{ratio * case.ours:.3f} {name}" + (f" ({error})" if error else ""), f"{ratio:.2f}"]


def pick(cases, kind, way, dtype="f32", elements=CACHE, threads=1):
    return cases.get((kind, way, dtype, elements, threads, "contiguous"))


def compared(cases, kinds, others, errors, **where):
    """A row for each kind that was measured, both directions, each beside the fastest of others: by the title of
    their column, a function that tells of a case which implementations are meant."""
    lines = ""
    for kind in kinds:
        both = [pick(cases, kind, way, **where) for way in WAYS]
        if any(both):
            cells = [kind]
            for case in both:
                cells.append(f"{case.ours:.3f}" if case else "")
                for wanted in others.values():
                    cells += fastest(case, case and wanted(case), errors)
            lines += row(cells)
    titles = [title for other in others for title in (other, "ratio")]
    return lines and heading(["", "forward", *titles, "backward", *titles]) + lines + "\n"


def by_type(cases, kinds, elements):
    lines = ""
    for kind in kinds:
        times = [pick(cases, kind, way, dtype, elements) for way in WAYS for dtype in TYPES]
        if all(pick(cases, kind, "backward", dtype, elements) for dtype in TYPES):
            lines += row([kind] + [f"{case.ours:.3f}" if case else "" for case in times])
    return lines and heading([""] + [f"{way} {dtype}" for way in WAYS for dtype in TYPES]) + lines + "\n"


def summary(cases, errors):
    lines = ""
    for title, checks in goals(cases, errors):
        checks = list(checks)
        if checks:
            lines += row([title, str(sum(met for *_, met in checks)), str(sum(not met for *_, met in checks))])
    return heading(["goal", "cases met", "missed"]) + lines + "\n"


def means(cases):
    lines = "".join(row([dtype, str(elements), str(threads), f"{mean:.2f}", str(count), str(slower)])
                    for (dtype, elements, threads), mean, count, slower in geometric_means(list(cases.values())))
    return lines and heading(["", "elements", "threads", "mean", "cases", "ours slower"]) + lines + "\n"


def missed(cases, errors):
    """The first goal's misses on one thread, one line each."""
    lines = ""
    for title, checks in goals(cases, errors):
        if title.startswith("Goal 1, in cache, one thread"):
            beyond = ", beyond 4 ULP" if "beyond" in title else ""
            lines += "".join(f"- {what}: {figure}{beyond}\n" for what, figure, met in checks if not met)
    return lines + "\n"


def machine(bench):
    versions = ", ".join(f"{name} {version}" for name, version in bench["versions"].items()
                         if name != "torch-output")
    disturbed = warning(bench) and "\n" + warning(bench)
    return f"{bench['cpu']}, level {bench['level']}; {versions}.\n{disturbed}"


def tables(cases, errors):
    every = {"fastest peer": lambda case: is_peer}
    split = {"fastest peer within 4 ULP": within(errors, True), "fastest peer beyond": within(errors, False)}
    loops = {"fastest loop": lambda case: LIMITS.__contains__}
    kinds = list(dict.fromkeys(case.kind for case in cases.values()))
    parts = [
        ("Nanoseconds per element; \"ratio\" is the time of the other over ours: above 1, ours is faster.\n\n",
         summary(cases, errors)),
        ("The fastest peer's time over ours, geometric mean over directions and kinds bound by arithmetic (the goal is "
         "2 in cache):\n\n",
         means(cases)),
        ("What missed the first goal on one thread, with the fastest peer's time over ours:\n\n",
         missed(cases, errors)),
        ("f32 in cache (32 Ki elements), one thread. Beside ours the fastest peer whose [largest "
         "error](numbers.md#beside-other-libraries) on moderate numbers is at most 4 ULP, and the fastest of those "
         "that give up more, in brackets the error:\n\n",
         compared(cases, kinds, split, errors)),
        ("f32 in memory (32 Mi elements), one thread: the kinds that memory limits, beside the fastest plain "
         "loop:\n\n",
         compared(cases, [k for k in kinds if k in CHEAP], loops, errors, elements=RAM)),
        ("f32 in memory, two threads, beside the fastest peer, in brackets its error in ULP:\n\n",
         compared(cases, kinds, every, errors, elements=RAM, threads=2)),
        ("Element types in cache, one thread, ours:\n\n", by_type(cases, kinds, CACHE)),
        ("Element types in memory, one thread, ours:\n\n", by_type(cases, kinds, RAM)),
    ]
    return "".join(text + table for text, table in parts if table)


def wrapped(block):
    """Its sentences in lines of at most 120 columns; rows of tables, lists and headings stay as they are."""
    return "".join(f"{line}\n" if len(line) <= 120 or line[0] in "|-#"
                   else textwrap.fill(line, 120, break_on_hyphens=False, break_long_words=False) + "\n"
                   for line in block.splitlines())


def replace(path, name, block):
    """Writes a block between its two markers in a document."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
    document = path.read_text(encoding="utf-8")
    if document.count(begin) != 1 or document.count(end) != 1:
        sys.exit(f"{path}: no place between {begin.strip()} and {end.strip()}")
    before, rest = document.split(begin)
    path.write_text(before + begin + wrapped(block) + end + rest.split(end)[1], encoding="utf-8")


def main():
    if sys.argv[1:] in (["--help"], ["-h"]):
        print(__doc__)
        return
    usual = [ROOT / "build" / "bench.json", ROOT / "doc" / "speed.md", ROOT / "build" / "peers.json"]
    paths = sys.argv[1:] + usual[len(sys.argv) - 1:]
    if len(paths) != len(usual):
        sys.exit(__doc__)
    bench = load(paths[0])
    errors = errors_at(paths[2], bench["level"])
    replace(pathlib.Path(paths[1]), f"speed {bench['level']}",
            machine(bench) + "\n" + tables(read(bench), errors))


if __name__ == "__main__":
    main()
