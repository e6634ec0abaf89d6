"""Whether the tests that meson knows and the suites in suites.txt belong together.

    python3 suites_test.py SUITES.txt INTRO-TESTS.json

The second file is meson's list of tests, build/meson-info/intro-tests.json.
"""
import json
import pathlib
import sys

RUNS = {"usual", "long"}
FIELDS = {"suite", "runs", "about", "alone", "python modules", "packages", "packages not on aarch64",
          "optional packages"}


def read(text):
    """The suites: for each name its fields. And what is wrong with the text."""
    suites, problems = {}, []
    for paragraph in text.split("\n\n"):
        lines = [line for line in paragraph.splitlines() if not line.startswith("#")]
        if not lines:
            continue
        fields = dict(line.split(": ", 1) for line in lines if ": " in line)
        name = fields.get("suite")
        if len(fields) != len(lines) or not lines[0].startswith("suite: "):
            problems.append(f"suite {name}: expected 'suite: ' first, then lines of 'FIELD: TEXT', each once")
        if unknown := fields.keys() - FIELDS:
            problems.append(f"suite {name}: unknown {', '.join(sorted(unknown))}; expected {', '.join(sorted(FIELDS))}")
        if fields.get("runs") not in RUNS or "about" not in fields:
            problems.append(f"suite {name}: expected 'runs: usual' or 'runs: long', and 'about: '")
        if name in suites:
            problems.append(f"suite {name}: is there twice")
        suites[name] = fields
    return suites, problems


def compare(suites, tests):
    """What is wrong: tests without their one suite, or beside others though they measure time; suites without tests."""
    used = set()
    for test in tests:
        # meson puts the project's name before a suite. A test may have others, which only scripts name.
        found = [name for name in (suite.rsplit(":", 1)[-1] for suite in test["suite"]) if name in suites]
        used.update(found)
        if len(found) != 1:
            yield f"test {test['name']}: its suites are {', '.join(test['suite'])}; expected one of {', '.join(suites)}"
        elif suites[found[0]].get("alone") == "yes" and test["is_parallel"]:
            yield f"test {test['name']}: others may run beside it; expected is_parallel: false in suite {found[0]}"
    for name in suites.keys() - used:
        yield f"suite {name}: no test() names it"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    suites, problems = read(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    tests = json.loads(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8"))
    problems += compare(suites, tests)
    for problem in problems:
        print(problem)
    print(f"{len(suites)} suites, {len(tests)} tests, {len(problems)} problems")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
