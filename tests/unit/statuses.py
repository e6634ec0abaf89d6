"""Compares the statuses that the header lists for each call with those that a program has provoked.

    python3 statuses.py HEADER PROGRAM

PROGRAM (statuses.c) prints lines "function STATUS". A list in the header is the text behind "Errors:", up to the end of
the comment, in which "as sugar_x" stands for the list of sugar_x; it holds for all functions that follow the comment.
"""

import re
import subprocess
import sys

STATUSES = "ARGUMENT|SPEC|UNSUPPORTED|OUT_OF_MEMORY|OVERLAP|VALUE|DATA"


def listed(header: str) -> set[tuple[str, str]]:
    """What the header says, as pairs of a function and a status."""
    lists: dict[str, set[str]] = {}
    for comment, following in re.findall(r"/\*((?:(?!\*/).)*)\*/\n((?:SUGAR_API [^;]*;\n)+)", header, re.DOTALL):
        names = re.findall(r"\b(sugar_\w+)\(", following)
        found = re.search(r"Errors:(.*)", comment, re.DOTALL)
        fails = re.findall(r"SUGAR_API sugar_status (\w+)\(", following)
        if bool(found) != bool(fails):
            sys.exit(f"FAILED: {', '.join(names)}: a list of errors and a status, expected both or none of them")
        text = found.group(1) if found else ""
        statuses = set(re.findall(rf"\b({STATUSES})\b", re.sub(r"\bSUGAR_ERROR_\w+", "", text)))
        for other in re.findall(r"\b[Aa]s (sugar_\w+)", text):
            statuses |= lists[other]
        for name in fails:
            lists[name] = statuses
    return {(name, status) for name, statuses in lists.items() for status in statuses}


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        header = listed(file.read())
    run = subprocess.run([sys.argv[2]], stdout=subprocess.PIPE, text=True, check=False)
    provoked = {tuple(line.split()) for line in run.stdout.splitlines()}
    failed = run.returncode != 0 or header != provoked or not header
    for name, status in sorted(header - provoked):
        print(f"FAILED: {name}: the header lists {status}, which nothing has provoked")
    for name, status in sorted(provoked - header):
        print(f"FAILED: {name}: {status}, which the header does not list")
    print(f"{len(header & provoked)} passed, {len(header ^ provoked)} failed")
    sys.exit(1 if failed else 0)


main()
