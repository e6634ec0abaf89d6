"""Says which goals of speed a benchmark run met, and lists what missed them, each with its figure.

    python3 goals.py BENCH.json [PEERS.json]

PEERS.json, from the suite `peers` at the same level, says which peers keep 4 ULP; without it all do. A goal
whose cases were not measured is not judged. Ratios below 1 by less than 5 % are within the noise of one run on a
busy machine; they count as missed all the same.
"""
import math
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import peers  # noqa: E402 (the line above says where it is)
import results  # noqa: E402

LIMITS = {"memcpy", "loop", "loop-nt"}
NOT_PEERS = LIMITS | {"torch-output"}       # the last one solves another problem
# Kinds of a few operations for each element: memory is their limit.
CHEAP = {"identity", "relu", "relu6", "relu_squared", "threshold", "leaky_relu", "prelu", "rrelu", "softshrink",
         "hardshrink", "hardtanh", "hardsigmoid", "hardswish", "heaviside", "sign"}
CACHE, LAST_CACHE, RAM = 32 << 10, 1 << 20, 32 << 20
# Of calls with a gate, biases or second derivatives.
ADDED = {"whole", "features", "channels"}
CASE = {"kind": str, "direction": str, "dtype": str, "elements": int, "threads": int, "layout": str}


class Case:
    """The times of all implementations for one case."""

    def __init__(self, record):
        self.kind, self.way, self.dtype = record["kind"], record["direction"], record["dtype"]
        self.elements, self.threads, self.layout = record["elements"], record["threads"], record["layout"]
        self.times = {}

    def __str__(self):
        return (f"{self.kind} {self.way} {self.dtype}, {self.elements} elements, {self.threads} "
                f"thread{'s' * (self.threads > 1)}, {self.layout}")

    @property
    def ours(self):
        return self.times["sugar"]

    def fastest(self, wanted):
        """The name and the time over ours of the fastest among those wanted; None if none took part."""
        times = {name: ns for name, ns in self.times.items() if wanted(name)}
        name = min(times, key=times.get, default=None)
        return name and (name, times[name] / self.ours)


def load(path):
    """What a run of the benchmark wrote; ends the program with one line if it is something else."""
    bench = results.load(path, "the benchmark", ("cpu", "level", "versions"),
                         {**CASE, "implementation": str, "ns_per_element": (int, float)})
    if not all(0 < r["ns_per_element"] < math.inf for r in bench["results"]):
        results.refuse(path, "the benchmark", "a time is no number above 0")
    if not all("sugar" in case.times for case in read(bench).values()):
        results.refuse(path, "the benchmark", "a case without a time of sugar")
    return bench


def read(bench):
    """The cases of what `load` returned."""
    cases = {}
    for r in bench["results"]:
        case = cases.setdefault(tuple(r[name] for name in CASE), Case(r))
        case.times[r["implementation"]] = r["ns_per_element"]
    return cases


def warning(bench):
    """A line about a run that something disturbed; nothing for others."""
    return f"warning: {bench['warning']}\n" if "warning" in bench else ""


def is_peer(name):
    return name not in NOT_PEERS and not name.startswith("sugar")


def within(errors, keeps):
    """Of a case, the peers that keep 4 ULP on moderate numbers, or those that do not."""
    return lambda case: lambda name: is_peer(name) and keeps == peers.keeps(errors, case.kind, case.way, case.dtype,
                                                                            name)


def errors_at(path, level):
    """The errors of the peers at a level, which decides which of their formulas ran."""
    found = peers.load(path)
    if found["level"] != level:
        sys.exit(f"{path}: measured at level {found['level']}, expected {level}: "
                 f"SUGAR_LEVEL={level} sh tests/run.sh peers")
    return peers.read(found)


def judge(title, checks):
    """checks: (what, figure, met). Prints how many met the goal, and the others."""
    if not checks:
        return
    missed = [check for check in checks if not check[2]]
    print(f"\n{title}: {len(checks) - len(missed)} met, {len(missed)} missed")
    for what, figure, _ in missed:
        print(f"    missed: {what}: {figure}")


def against(cases, wanted, least=1.0):
    """Each case against the fastest of those that wanted(case) names, whose time must be at least so many times
    ours."""
    for case in cases:
        if found := case.fastest(wanted(case)):
            yield str(case), f"{found[1]:.2f} ({found[0]})", found[1] >= least


def geometric_means(cases):
    """Of kinds bound by arithmetic: (dtype, elements, threads), the mean of the fastest peer's time over ours, how many
    cases, in how many of them ours is slower."""
    groups = {}
    for case in cases:
        found = case.fastest(is_peer)
        if case.kind not in CHEAP and case.layout == "contiguous" and case.elements > 16 and found:
            groups.setdefault((case.dtype, case.elements, case.threads), []).append(found[1])
    for group, ratios in groups.items():
        mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
        yield group, mean, len(ratios), sum(r < 1 for r in ratios)


def print_means(cases):
    print("\nThe fastest peer's time over ours, geometric mean over directions and kinds bound by arithmetic (goal in "
          "cache: 2):")
    for (dtype, elements, threads), mean, count, slower in geometric_means(cases):
        print(f"    {dtype}, {elements:8} elements, threads {threads}: {mean:.2f} over {count} cases, "
              f"ours slower in {slower}")
    alone = sum(not any(map(is_peer, case.times)) for case in cases)
    print(f"    {alone} of {len(cases)} cases have no peer")


def surrogate_for_free(cases, elements=RAM):
    """relu~bsilu forward and backward over relu forward and backward, two threads."""
    for dtype in dict.fromkeys(case.dtype for case in cases.values()):
        try:
            total = {kind: sum(cases[kind, way, dtype, elements, 2, "contiguous"].ours
                               for way in ("forward", "backward")) for kind in ("relu", "relu~bsilu")}
        except KeyError:
            continue
        ratio = total["relu~bsilu"] / total["relu"]
        yield f"{dtype}, {elements} elements", f"{ratio:.2f}", ratio <= 1.25


def pairs(cases, chosen, other, least):
    """Ours in a chosen case against ours in another, whose key the function `other` tells."""
    for key, case in cases.items():
        if chosen(case) and (partner := cases.get(other(key))):
            figure = partner.ours / case.ours
            yield str(case), f"{figure:.2f}", figure >= least


def two_threads(cases):
    for case in cases:
        if alone := case.times.get("sugar-alone"):
            yield str(case), f"{alone / case.ours:.2f}", alone >= 1.9 * case.ours


def monitored(cases, name, most):
    for case in cases:
        if watched := case.times.get(name):
            yield str(case), f"{watched / case.ours:.2f}", watched <= most * case.ours


def first_goal(vectors, errors):
    """In cache: beside peers that keep 4 ULP, and beside those that give up more."""
    places = [("one thread", [c for c in vectors if c.elements < RAM and c.threads == 1])]
    places += [(f"two threads, {elements} elements", [c for c in vectors if c.elements == elements and c.threads == 2])
               for elements in (CACHE, LAST_CACHE)]
    for place, cases in places:
        yield (f"Goal 1, in cache, {place}: no slower than the fastest peer within 4 ULP",
               against(cases, within(errors, True)))
        yield (f"Goal 1, in cache, {place}: 0.8 of the speed of the fastest peer beyond 4 ULP",
               against(cases, within(errors, False), 0.8))


def goals(cases, errors):
    """Each goal: its title, and its checks. errors: those of the peers; a peer without any keeps 4 ULP."""
    every = list(cases.values())
    vectors = [c for c in every if c.layout == "contiguous" and c.elements > 16]
    memory = [c for c in vectors if c.elements == RAM]
    yield from first_goal(vectors, errors)
    yield ("Goal 2, in memory: cheap kinds at 0.9 of the fastest streaming loop",
           against([c for c in memory if c.kind in CHEAP], lambda case: LIMITS.__contains__, 0.9))
    yield ("Goal 2, in memory: relu forward 1.3 times as fast as every peer",
           against([c for c in memory if (c.kind, c.way) == ("relu", "forward")], lambda case: is_peer, 1.3))
    yield "Goal 3: relu~bsilu at most 1.25 times the time of relu, in memory", surrogate_for_free(cases)
    yield ("Goal 4: f16 and bf16 at 1.6 times the elements per second of f32, in memory",
           pairs(cases, lambda c: c in memory and c.dtype in ("f16", "bf16"),
                 lambda k: (k[0], k[1], "f32", *k[3:]), 1.6))
    yield ("Goal 5, strided: no slower than PyTorch",
           against([c for c in every if c not in vectors and c.layout not in ADDED and c.elements > 16],
                   lambda case: "torch".__eq__))
    yield ("Goal 6: a call for up to 16 elements at most 50 ns",
           [(str(c), f"{c.ours * c.elements:.0f} ns", c.ours * c.elements <= 50) for c in every
            if c.elements <= 16])
    yield ("Goal 7: two threads at 1.9 times the speed of one, kinds bound by arithmetic",
           two_threads([c for c in vectors if c.elements == LAST_CACHE and c.threads == 2
                        and c.kind not in CHEAP and (c.kind, c.way) != ("relu~bsilu", "forward")]))
    yield ("Goal 8, in memory: calls with a gate, biases or second derivatives at most 1.15 times the time of the "
           "fastest loop with the same streams",
           against([c for c in every if c.layout in ADDED and c.elements == RAM], lambda case: LIMITS.__contains__,
                   1 / 1.15))
    yield ("Goal 8: twice as fast as every peer, with a gate or biases",
           against([c for c in every if c.layout in ADDED and not c.kind.endswith("twice")], lambda case: is_peer, 2))
    yield ("Goal 9: a monitored call in memory at most 1.5 times the time of the plain one",
           monitored([c for c in every if c.elements == RAM], "sugar-monitored", 1.5))
    yield ("Goal 9: calls in memory of which one in ten is observed at most 1.05 times the time of plain ones",
           monitored([c for c in every if c.elements == RAM], "sugar-sampled", 1.05))


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    bench = load(sys.argv[1])
    errors = {}
    if len(sys.argv) == 3 and (level := peers.load(sys.argv[2])["level"]) != bench["level"]:
        print(f"{sys.argv[2]}: errors at level {level}, not {bench['level']}: every peer counts as one within 4 ULP")
    elif len(sys.argv) == 3:
        errors = errors_at(sys.argv[2], bench["level"])
    cases = read(bench)
    print_means(list(cases.values()))
    for title, checks in goals(cases, errors):
        judge(title, list(checks))
    if text := warning(bench):
        print(f"\n{text}", end="")


if __name__ == "__main__":
    main()
