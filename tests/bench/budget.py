"""What is left to gain in each kind: how much of its error bound it leaves, and how far its loop is from what the
processor allows. For whoever wants to make a kind faster.

    python3 tests/bench/budget.py                       the tables of doc/budget.md
    python3 tests/bench/budget.py --write               writes them there
    python3 tests/bench/budget.py --level avx2 --type f32 gelu tanh
    python3 tests/bench/budget.py --check               instructions beside the model: what each takes here

The errors come from build/accuracy.json and build/exhaustive.json (--errors names other files), the times from the
benchmark's build/budget-LEVEL.json and build/budget-narrow-LEVEL.json (--bench; doc/budget.md has the commands), the
loops and the model from model.py, which see. What was not measured has blanks. What the divider takes and the clock are
measured anew: for the times to fit, this has to be the processor of the benchmark, and an Intel one.
"""
import argparse
import dataclasses
import functools
import pathlib
import re
import typing

import goals
import model
import results  # goals says where it is
import speed

ROOT = model.ROOT
PAGE = ROOT / "doc/budget.md"
WAYS = {"value": "forward", "derivative": "backward"}
BOUNDS = {"f32": 2, "f64": 4}           # ULP; f16 and bf16 are promised the nearer neighbour instead
NUMBER = (int, float)
NARROW = "x even over [-1, 1]"          # what a run with `--data narrow` says of its data
# For each level the model of a processor. LLVM's sapphirerapids does 512-bit products on one port of the two: --check.
PROCESSORS = {"avx2": "sapphirerapids", "avx512": "skylake-avx512"}
# The ports of vectors, those whose vectors are as wide as the level's.
PORTS = {"avx2": ("p0", "p1", "p5"), "avx512": ("p0", "p5")}
LOADS = ("p2", "p3", "p11")
WIDTHS = {"avx2": "y", "avx512": "z"}   # the letter of their registers
DIVISION = re.compile(r"v(div|sqrt)p[sd] .*%([xyz])mm\d+$")
PERMUTATION = re.compile(r"vperm|vp?shuf|vp?unpck|vinsert|vextract|vpack|vpmov[sz]x|vp?align|vmov[hl]")
STACK = re.compile(r".*(\(%rsp|-0x\w+\(%rbp)")
NEAR = 0.9      # of the bound: what is as busy limits a loop as well
FAR = 1.25      # times its bound: what takes as long is marked, and gets a reason beside the bound


# ---- Errors ---------------------------------------------------------------------------------------------------------

class Errors:
    """The largest errors by kind, element type and direction, from files of the suites accuracy and exhaustive."""

    def __init__(self, paths):
        self.at_defaults, self.others, self.kinds = {}, {}, []
        for path in paths:
            found = results.load(path, "the suite `accuracy` or `exhaustive`", (), {
                "kind": str, "type": str, "direction": str, "defaults": bool, "each": bool, "max_ulp": NUMBER})
            for r in found["results"]:
                if r["direction"] in WAYS and not r["each"]:
                    self.add(r, self.at_defaults if r["defaults"] else self.others)

    def add(self, record, errors):
        key = record["kind"], record["type"], WAYS[record["direction"]]
        errors[key] = max(errors.get(key, 0), record["max_ulp"])
        if record["kind"] not in self.kinds:
            self.kinds.append(record["kind"])

    def slack(self, key, own_formula):
        """ULP between the largest error and the bound. own_formula: the loop is for the defaults alone."""
        if key not in self.at_defaults or key[1] not in BOUNDS:
            return None
        others = 0 if own_formula else self.others.get(key, 0)
        return BOUNDS[key[1]] - max(self.at_defaults[key], others)


@functools.lru_cache(maxsize=None)
def with_own_formula():
    """Kinds with formulas for the defaults of their parameters."""
    catalogue = (ROOT / "lib/kernels/kinds/kinds.def").read_text(encoding="utf-8")
    return re.findall(r"^AT_DEFAULTS\((\w+)\)", catalogue, re.M)


# ---- Loops ----------------------------------------------------------------------------------------------------------

def independent(name, width):
    """An instruction several times, into registers that differ."""
    first = "$3" if name == "vpslld" else f"%{width}mm1"
    operands = [first] if "sqrt" in name else [first, f"%{width}mm1"]
    return [f"{name} {', '.join([*operands, f'%{width}mm{k}'])}" for k in range(2, 14)]


@functools.lru_cache(maxsize=None)
def cycles_here(name, width):
    """Cycles that an instruction takes here, of which others of its kind do not wait. Its operands are ordinary
    numbers, as some take longer with others."""
    numbers = ["mov $0x3fc00000, %eax", "vmovd %eax, %xmm1", f"vbroadcastss %xmm1, %{width}mm1"]
    texts = independent(name, width)
    return model.cycles(numbers + texts) / len(texts)


@functools.lru_cache(maxsize=None)
def clock():
    return model.clock()


def divider(texts):
    """Cycles that a loop's instructions keep the divider busy; one of the models has no divider."""
    found = [(text.split()[0], match[2]) for text in texts if (match := DIVISION.match(text))]
    return sum(cycles_here(*division) for division in found)


def port(name):
    """SPRPort05 and SKXPort5 are p5."""
    return re.sub(r".*Port0?(\d+)$", r"p\1", name)


@dataclasses.dataclass
class Loop:
    """One iteration of a kernel's inner loop, which computes a vector: cycles."""
    elements: int
    operations: int
    used: dict              # by port
    divider: float
    front_end: float
    permutations: int
    stack: int              # accesses, for want of registers
    simulated: float

    @property
    def wanted(self):
        """By what a loop may wait for, the cycles that it needs of it."""
        return {**self.used, "divider": self.divider, "front end": self.front_end}


def read_loop(arguments, level, kind, way, dtype):
    texts, elements = model.inner_loop(arguments.build, level, f"{kind}:{way}", dtype)
    summary, cycles, used = model.simulated(arguments.mca, level, PROCESSORS[level], texts)
    operations = summary["TotaluOps"] / model.ITERATIONS
    ports = {port(name): busy for name, busy in used.items() if "Divider" not in name}
    permutations, stack = (sum(bool(sort.match(text)) for text in texts) for sort in (PERMUTATION, STACK))
    return Loop(elements, round(operations), ports, divider(texts), operations / summary["DispatchWidth"], permutations,
                stack, cycles)


# ---- What limits them -----------------------------------------------------------------------------------------------

@dataclasses.dataclass
class Row:
    kind: str
    way: str
    level: str
    loop: Loop
    usual: typing.Optional[float] = None          # cycles per element, measured
    narrow: typing.Optional[float] = None         # where no rare formula is taken, and no result is subnormal
    memory: float = 0                   # of the kind that takes least
    at_defaults: typing.Optional[float] = None
    others: typing.Optional[float] = None
    slack: typing.Optional[float] = None

    @property
    def bound(self):
        return max(max(self.loop.wanted.values()) / self.loop.elements, self.memory)

    @property
    def over(self):
        """Times the bound that the loop takes."""
        return (self.narrow or self.usual) and (self.narrow or self.usual) / self.bound

    @property
    def rare(self):
        """Times as long as the loop alone that rare inputs make it take."""
        return self.usual and self.narrow and self.usual / self.narrow

    def near(self):
        """What takes about as long as the bound."""
        wanted = {**self.loop.wanted, "memory": self.memory * self.loop.elements}
        return [name for name, cycles in wanted.items() if cycles >= NEAR * self.bound * self.loop.elements]

    def limit(self):
        """In words."""
        near, ports = self.near(), PORTS[self.level]
        busy = [p for p in ports if p in near]
        words = [name for name in ("memory", "divider") if name in near]
        if busy == list(ports):
            words.append("all vector ports")
        elif busy == ["p5"] and 2 * self.loop.permutations >= self.loop.used["p5"]:
            words.append("permutations (p5)")
        elif busy:
            words.append(" and ".join(busy))
        words += [name for name in near if name not in (*ports, "memory", "divider")]
        if self.is_far():
            waits, taken = self.loop.simulated / self.loop.elements - self.bound, (self.over - 1) * self.bound
            words.append("latency" if 2 * waits >= taken else "not in the model")
        return ", ".join(words)

    def is_far(self):
        return bool(self.over) and self.over >= FAR and self.is_arithmetic()

    def is_slowed_down(self):
        return bool(self.rare) and self.rare >= FAR and self.is_arithmetic()

    def is_arithmetic(self):
        return "memory" not in self.near()

    def is_unspent(self, dtype):
        """At least half of the error bound is left, and fewer operations would make it faster. Where nothing is rounded
        there is nothing to save."""
        return bool(self.at_defaults) and self.slack is not None and 2 * self.slack >= BOUNDS[dtype] \
            and self.is_arithmetic()


def in_cycles(benches, level, dtype, is_narrow):
    """Of every kind and direction that was measured, cycles per element."""
    found = {}
    for bench in benches:
        if bench["level"] == level and (bench.get("data", "") == NARROW) == is_narrow:
            cases = goals.read(bench)
            for kind, way in {(case.kind, case.way) for case in cases.values()}:
                if case := speed.pick(cases, kind, way, dtype):
                    found[kind, way] = case.ours * clock()
    return found


def rows(arguments, errors, benches, level, dtype):
    """Those of one table; and lines on loops that the model cannot handle."""
    usual, narrow = (in_cycles(benches, level, dtype, is_narrow) for is_narrow in (False, True))
    memory = {way: min((cycles for (_, w), cycles in (narrow or usual).items() if w == way), default=0)
              for way in speed.WAYS}
    found, lacking = [], []
    for kind in arguments.kinds or errors.kinds:
        for way in speed.WAYS:
            key = kind, dtype, way
            if key not in errors.at_defaults:
                continue                # surrogates have no value
            try:
                loop = read_loop(arguments, level, kind, way, dtype)
            except model.NoLoop as reason:
                lacking.append(str(reason))
                continue
            found.append(Row(kind, way, level, loop, usual.get((kind, way)), narrow.get((kind, way)), memory[way],
                             errors.at_defaults[key], errors.others.get(key),
                             errors.slack(key, kind in with_own_formula())))
    return found, lacking


# ---- Tables ---------------------------------------------------------------------------------------------------------

def ulps(error):
    return "" if error is None else "exact" if error == 0 else f"{error:.2f}"


def marked(text, is_marked):
    return f"**{text}**" if is_marked else text


def cells(row, dtype):
    loop = row.loop
    yield f"{row.kind} {row.way}"
    if dtype in BOUNDS:
        yield from (ulps(row.at_defaults), ulps(row.others))
        yield "" if row.slack is None else marked(f"{row.slack:.2f}", row.is_unspent(dtype))
    yield str(loop.operations)
    yield from (f"{loop.used.get(p, 0):.1f}" for p in ("p0", "p1", "p5"))
    yield f"{sum(loop.used.get(p, 0) for p in LOADS):.1f}"
    yield from (str(loop.stack), str(loop.permutations))
    yield f"{loop.divider:.1f}" if loop.divider else ""
    yield from (f"{row.bound:.2f}", f"{loop.simulated / loop.elements:.2f}")
    yield f"{row.narrow:.2f}" if row.narrow else ""
    yield marked(f"{row.over:.2f}", row.is_far()) if row.over else ""
    yield f"{row.usual:.2f}" if row.usual else ""
    yield marked(f"{row.rare:.2f}", row.is_slowed_down()) if row.rare and row.is_arithmetic() else ""
    yield row.limit()


def stands_out(found, dtype, count=6):
    """Lines on top of a table: what they list, and the list."""
    far = sorted((r for r in found if r.is_far()), key=lambda r: -r.over)
    yield "Farthest from their bound", [f"{r.kind} {r.way} ({r.over:.2f})" for r in far[:count]]
    unspent = sorted((r for r in found if r.usual and r.is_unspent(dtype)), key=lambda r: -r.usual)
    yield ("Slowest of those that leave half of the error bound",
           [f"{r.kind} {r.way} ({r.usual:.2f} cycles, {r.slack:.2f} ULP left)" for r in unspent[:count]])
    rare = sorted((r for r in found if r.is_slowed_down()), key=lambda r: -r.rare)
    yield "Slowed down most by rare inputs", [f"{r.kind} {r.way} ({r.rare:.2f})" for r in rare[:count]]


def table(found, lacking, level, dtype):
    titles = ["", *(["error", "others", "slack"] if dtype in BOUNDS else []), "operations", "p0", "p1", "p5", "loads",
              "stack", "permutations", "divider", "bound", "simulated", "narrow", "over bound", "usual", "rare",
              "limit"]
    lanes = max((row.loop.elements for row in found), default=0)
    yield f"### {dtype}, {level}\n\nOperations and ports for {lanes} elements.\n\n"
    for title, names in stands_out(found, dtype):
        if names:
            yield f"{title}: {', '.join(names)}.\n\n"
    yield speed.heading(titles) + "".join(speed.row(cells(row, dtype)) for row in found) + "\n"
    if lacking:
        yield "Without a model: " + "; ".join(lacking) + ".\n\n"


def origin(arguments, benches):
    """The processor, and versions."""
    llvm = re.search(r"LLVM version (\S+)", model.output([arguments.mca, "--version"]))[1]
    compiler = model.output(["cc", "--version"]).splitlines()[0]
    measured = " and ".join(dict.fromkeys(f"libsugar {bench['versions']['sugar']} on {bench['cpu']}"
                                          for bench in benches)) or "no times"
    models = ", ".join(f"{PROCESSORS[level]} for {level}" for level in arguments.level)
    return (f"{measured}, {clock():.2f} GHz, {compiler}; llvm-mca {llvm}, whose models are {models}.\n\n"
            + "".join(f"{line}\n" for line in sorted({goals.warning(bench) for bench in benches}) if line))


def page(arguments):
    errors = Errors(path for path in arguments.errors if path.exists())
    benches = [goals.load(path) for path in arguments.bench if path.exists()]
    yield origin(arguments, benches)
    for dtype in arguments.type:
        for level in arguments.level:
            yield from table(*rows(arguments, errors, benches, level, dtype), level, dtype)


# ---- The model beside this processor --------------------------------------------------------------------------------

CHECKED = ["vaddps", "vmulps", "vfmadd213ps", "vfmadd213pd", "vmaxps", "vandps", "vpaddd", "vpslld", "vpermps",
           "vdivps", "vdivpd", "vsqrtps", "vsqrtpd"]


def check(arguments):
    """Lines of a table: cycles of an instruction among others of its kind."""
    for level in arguments.level:
        yield speed.heading([level, "here", *PROCESSORS.values()])
        for name in CHECKED + ["vscalefps"] * (level == "avx512"):
            texts = independent(name, WIDTHS[level])
            said = [model.simulated(arguments.mca, level, processor, texts)[1] / len(texts)
                    for processor in PROCESSORS.values()]
            yield speed.row([name, *(f"{cycles:.2f}" for cycles in [cycles_here(name, WIDTHS[level]), *said])])
        yield "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*")
    parser.add_argument("--level", action="append", choices=PROCESSORS)
    parser.add_argument("--type", action="append", choices=speed.TYPES)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--errors", type=pathlib.Path, action="append", help="of the suite accuracy or exhaustive")
    parser.add_argument("--bench", type=pathlib.Path, action="append", help="one for each level")
    parser.add_argument("--mca", default="llvm-mca")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    arguments.level = arguments.level or list(PROCESSORS)
    arguments.type = arguments.type or list(speed.TYPES)
    arguments.errors = arguments.errors or [arguments.build / f"{suite}.json" for suite in ("accuracy", "exhaustive")]
    arguments.bench = arguments.bench or [arguments.build / f"budget-{data}{level}.json" for level in PROCESSORS
                                          for data in ("", "narrow-")]
    text = "".join(check(arguments) if arguments.check else page(arguments)).rstrip("\n") + "\n"
    if arguments.write:
        speed.replace(PAGE, "budget", text)
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
