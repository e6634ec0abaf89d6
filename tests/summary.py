"""How the suites went, from what meson has written of their tests.

    python3 summary.py TESTS.json INTRO-TESTS.json STATUS SUITE...

TESTS.json is the log of one `meson test` over all SUITEs, a line of JSON for each test; INTRO-TESTS.json meson's list
of tests, which says what suite each is in; STATUS the exit status of `meson test`.

A suite is FAILED if a test of it is neither OK nor skipped, or is not in the log; it is skipped if a test has printed a
line `skipped: why`, or if none was OK; else it has passed. Its time is the sum of its tests' times, which run beside
each other, so that the sum over suites is more than the time of the whole.

Exit status: 0 if nothing failed, 1 if a suite did, or if STATUS is not 0.
"""
import collections
import json
import pathlib
import re
import sys

GOOD = {"OK", "EXPECTEDFAIL", "SKIP"}


def read_suites(text):
    """For each suite the names of its tests. meson puts the project's name before a suite."""
    suites = collections.defaultdict(set)
    for test in json.loads(text):
        for suite in test["suite"]:
            suites[suite.rsplit(":", 1)[-1]].add(test["name"])
    return suites


def read_log(text):
    """For each test its entry. Before a test's name meson may put its suite: `libsugar:unit / unit-specs`."""
    entries = (json.loads(line) for line in text.splitlines() if line.strip())
    return {re.split(" / |:", entry["name"])[-1]: entry for entry in entries}


def judge(tests, log):
    """The seconds that a suite's tests took, and what became of them."""
    entries = {name: log[name] for name in sorted(tests & log.keys())}
    seconds = sum(entry["duration"] for entry in entries.values())
    bad = [name for name, entry in entries.items() if entry["result"] not in GOOD]
    bad += [f"{name}: did not run" for name in sorted(tests - log.keys())]
    reasons = [reason for entry in entries.values()
               for reason in re.findall(r"^ *skipped: (.*)", entry.get("stdout") or "", re.MULTILINE)]
    if bad:
        return seconds, f"FAILED ({'; '.join(bad)})"
    if reasons or all(entry["result"] == "SKIP" for entry in entries.values()):
        return seconds, f"skipped ({'; '.join(reasons) or 'no test ran'})"
    return seconds, "passed"


def summarize(suites, log, status, chosen):
    """The lines of the summary, and whether all went well."""
    lines, counts = ["==== summary", ""], collections.Counter()
    for suite in chosen:
        seconds, result = judge(suites.get(suite, set()), log)
        counts[result.split()[0]] += 1
        lines.append(f"{suite:<13} {seconds:4.0f} s  {result}")
    if status and not counts["FAILED"]:
        lines.append(f"meson test failed with exit status {status}")
    total = f"{counts['passed']} passed, {counts['FAILED']} failed"
    if counts["skipped"]:
        total += f", {counts['skipped']} skipped"
    return [*lines, "", total], not status and not counts["FAILED"]


def main():
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    path = pathlib.Path(sys.argv[1])
    log = read_log(path.read_text(encoding="utf-8")) if path.exists() else {}
    suites = read_suites(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8"))
    lines, good = summarize(suites, log, int(sys.argv[3]), sys.argv[4:])
    print("\n".join(lines))
    sys.exit(not good)


if __name__ == "__main__":
    main()
