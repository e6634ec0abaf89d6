"""What the suite `peers` measured: how far each peer is off, for the tables of errors and of speed, and for the goals,
which ask whether a peer keeps 4 ULP."""
import results

NUMBER = (int, float)
WAYS = {"value": "forward", "derivative": "backward"}       # as the benchmark calls them
# Where a peer may lose more than 4 ULP besides body and tail, which count; peer_errors.c says what they are.
LOSSES = {"edge": "edge", "large": "large", "small_input": "sub x", "small_result": "sub y"}


class Errors:
    """Of one implementation, for one function and element type."""

    def __init__(self, record):
        self.keeps = record["keeps_4_ulp"]
        self.absolute = record["body_absolute"]
        self.ulps, self.at = max((record[where]["max_ulp"], record[where]["at"]) for where in ("body", "tail"))
        self.first = record.get("first_above_4_ulp")
        self.lost = [name for where, name in LOSSES.items() if record[where]["max_ulp"] > 4]

    def __str__(self):
        """The largest error on moderate numbers in ULP, and where what is above 4 begins."""
        if self.ulps == 0:
            return "exact"
        size = f"{self.ulps:.2f}" if self.ulps < 1000 else f"{self.ulps:.1e}"
        return size if self.keeps else f"{size} from {self.first:.3g} on"


def load(path):
    """The file that peer_errors wrote."""
    return results.load(path, "peer_errors", ("cpu", "level", "versions"), {
        "kind": str, "direction": str, "dtype": str, "implementation": str, "keeps_4_ulp": bool,
        "body_absolute": NUMBER, **{where: dict for where in ("body", "tail", *LOSSES)}})


def read(found):
    """The errors of what `load` returned, by kind, way, element type and implementation."""
    return {(r["kind"], WAYS[r["direction"]], r["dtype"], r["implementation"]): Errors(r) for r in found["results"]}


def keeps(errors, kind, way, dtype, implementation):
    """Whether a peer keeps 4 ULP on moderate numbers. Who was not measured is taken for one that does."""
    found = errors.get((kind, way, dtype, implementation))
    return found is None or found.keeps
