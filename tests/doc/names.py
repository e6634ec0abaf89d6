"""Prints doc/names.md, the table of the names that other frameworks have for activations, from doc/names.json.

    python3 tests/doc/names.py

bindings/python/tests/names_table.py says what a row holds; the tests beside it compute every spec.
"""
import json
import pathlib
import textwrap

TABLE = pathlib.Path(__file__).resolve().parents[2] / "doc/names.json"
HEAD = """\
# Names of other frameworks

For people who know an activation by the name that another framework gives it: the spec that computes the same.

{contents}

How to read the tables:

- Arguments stand with their defaults; those without one must be given. In a spec, `{{...}}` stands for the value
  of the expression in it, made of these arguments.
- A *gated* unit halves its input: a is the first half, b the second. It is f(x) times a gate, with f from the spec
  and the `gate` of the call options. The remark says what x and the gate are.
- A spec computes the framework's value and, but for the points that a remark names, its slope; at a kink the slope
  of an activation is PyTorch's.
- Behind a `~` stands the surrogate, whose slope the backward pass uses. For any other one see
  [surrogates.md](surrogates.md).

This page is written by `tests/doc/names.py` from [names.json](names.json), which is the same table for programs; the
[reader of it](../bindings/python/tests/names_table.py) explains the fields. Every spec is tested: by
`sh tests/run.sh bindings` beside formulas that were written apart from the library, by `sh tests/run.sh torch jax`
beside PyTorch and JAX themselves.
"""
SECTION = """
## {framework}

{about}

| name | spec | remark |
|---|---|---|
{rows}
"""


def anchor(heading):
    """As tests/doc/doc.sh has it."""
    return "".join(letter for letter in heading.lower() if letter.isalnum() or letter in " _-").replace(" ", "-")


def written(value):
    """A value of an argument; numbers in few digits."""
    return f"{value:.6g}" if type(value) in (int, float) else repr(value)


def signature(row):
    """The first name with its arguments; a name in quotation marks is the first argument itself."""
    defaults = row.get("defaults", {})
    arguments = [name for name in row.get("other", {}) if name not in defaults]
    arguments += [f"{name}={written(value)}" for name, value in {**row.get("given", {}), **defaults}.items()]
    first = row["names"][0]
    if first.startswith("'"):
        return ", ".join([first, *arguments])
    return first + (f"({', '.join(arguments)})" if arguments else "")


def remark(row):
    gated = [f"gated: x = `{row['x']}`, gate = `{row['gate']}`"] if "gate" in row else []
    return "; ".join(gated + [row[key] for key in ("reason", "note") if key in row])


def line(row):
    names = ", ".join(f"`{name}`" for name in [signature(row), *row["names"][1:]])
    return f"| {names} | {code(row.get('spec'))} | {remark(row)} |"


def code(text):
    return f"`{text}`" if text else "none"


def introduction(about):
    text = f"Version {about['version']}; names in `{about['prefix']}`. {about['about']}"
    return textwrap.fill(text, 120, break_on_hyphens=False, break_long_words=False)


def page(table):
    contents = "\n".join(f"- [{framework}](#{anchor(framework)})" for framework in table)
    sections = (SECTION.format(framework=framework, about=introduction(about), rows="\n".join(map(line, about["rows"])))
                for framework, about in table.items())
    return HEAD.format(contents=contents) + "".join(sections)


if __name__ == "__main__":
    print(page(json.loads(TABLE.read_text(encoding="utf-8"))), end="")
