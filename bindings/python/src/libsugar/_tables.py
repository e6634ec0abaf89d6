"""Tables by the digests that canonical specs have, for frameworks, whose programs hold specs alone."""

from __future__ import annotations

import re
from typing import Any

from ._activation import ROWS, Activation

# The rows of tables by their digests, as canonical specs have them: a spec is enough to find its table.
Rows = tuple[tuple[float, float, float], ...]
TABLES: dict[str, Rows] = {}
DIGEST = re.compile(r"table\(digest=([0-9a-f]{16})")


def tabulated(spec: str, table: Any) -> str:
    """The canonical spec of one that names `table`, the user's own function: "relu~table" as
    "relu~table(digest=0123456789abcdef)". It stands for the table in libsugar.torch and libsugar.jax, in this process.

    table    a tensor, an array or rows, n x 3: of a knot, the value there and the slope there, as
             libsugar.Activation takes them
    """
    if table is None:
        raise TypeError(f"table: None, expected {ROWS}")
    rows = table.tolist() if hasattr(table, "tolist") else table
    made = Activation(spec, table=rows)
    found = DIGEST.search(made.spec)
    assert found is not None        # or the library would have refused the table
    TABLES[found[1]] = made.table
    return made.spec


def table_of(spec: str) -> Rows | None:
    """The rows that a canonical spec names."""
    found = DIGEST.search(spec) if isinstance(spec, str) else None
    return TABLES.get(found[1]) if found else None
