"""Files of results as the test programs write them: for the scripts that turn them into verdicts, tables and
pictures."""
import json
import os
import sys


def problem(results, about, fields):
    """What is wrong with what a file held, or None; see load."""
    if not isinstance(results, dict):
        return "no JSON object"
    if missing := {"results", *about} - results.keys():
        return f"no {', '.join(sorted(missing))}"
    if not isinstance(results["results"], list):
        return "its results are no list"
    for i, record in enumerate(results["results"]):
        if not isinstance(record, dict):
            return f"result {i} is no JSON object"
        for name, kind in fields.items():
            if name not in record:
                return f"result {i} has no {name}"
            if not isinstance(record[name], kind):
                return f"result {i}: {name} is {record[name]!r}"
    return None


def load(path, writer, about, fields):
    """The object in a file: beside its results it has what `about` names, and each result has the fields, which
    map names to types. Ends the program with one line if the file is something else; writer: who writes it."""
    try:
        with open(path, encoding="utf-8") as file:
            results = json.load(file)
    except OSError as error:
        sys.exit(f"{path}: cannot be read: {error.strerror}")
    except ValueError as error:
        refuse(path, writer, error)
    except RecursionError:
        refuse(path, writer, "nested too deeply")
    if found := problem(results, about, fields):
        refuse(path, writer, found)
    return results


def refuse(path, writer, found):
    sys.exit(f"{path}: {found}; expected a complete file as {writer} writes it")


def write(path, text):
    """Writes a file under a temporary name beside its own first, so that it is never half there."""
    if os.path.lexists(path) and (os.path.islink(path) or not os.path.isfile(path)):
        part = path
    else:
        part = f"{path}.part"
    with open(part, "w", encoding="utf-8") as file:
        file.write(text)
    if part != path:
        os.replace(part, path)
