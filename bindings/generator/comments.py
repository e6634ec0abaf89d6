"""The comments of the header: which belongs to which declaration, and what a function's comment says.

A comment belongs to the declaration that begins on the line after it, or, if it begins behind a declaration,
to all that end on that line. A comment of a function is prose, then a list, then its errors:

    Prose; lines that are indented by four spaces are kept as they are.
    name, name   out [count, step name]; text            one line per parameter, "returns" for the result
    Errors: as OTHER; ARGUMENT (text), SPEC (text).
"""

import re
from dataclasses import dataclass, field

from clang import cindex  # type: ignore[import]

from .errors import GeneratorError

LIST_LINE = re.compile(r"^([a-z_][a-z_0-9]*(?:, [a-z_][a-z_0-9]*)*)  +(\S.*)$")
HEAD = re.compile(r"^(in|out)? *(?:\[([^\]]*)\])?(?:[;.] *|$)")
OTHER = re.compile(r"^as (sugar_\w+)")


@dataclass
class Note:
    """What the list says about one parameter, or about the result."""
    text: str
    direction: str | None
    count: str | None
    step: str | None

    @property
    def nullable(self) -> bool:
        return may_be_null(self.text)

    @property
    def ownership(self) -> str | None:
        return owner(self.text)


@dataclass
class FunctionComment:
    """The parts of a function's comment."""
    prose: str = ""
    notes: dict[str, Note] = field(default_factory=dict)
    errors_as: str | None = None
    errors: list[dict[str, str]] = field(default_factory=list)


def may_be_null(text: str) -> bool:
    return re.search(r"(?<!never )\bNULL\b", text) is not None


def owner(text: str) -> str | None:
    if found := re.search(r"owned by the (\w+)", text):
        return found[1]
    return "constant" if re.search(r"\ba constant\b", text) else None


def unit(text: str) -> str | None:
    found = re.search(r"(?:^|\bin )(bytes|elements)\b", text)
    return found[1] if found else None


def like(text: str) -> str | None:
    found = re.search(r"[Ss](?:ame shape and dtype as|hape and dtype of) (\w+)", text)
    return found[1] if found else None


class Comments:
    """All comments of a file, by their lines."""

    def __init__(self, tokens: list[cindex.Token]) -> None:
        self.before: dict[int, str] = {}     # by the line after the comment
        self.behind: dict[int, str] = {}     # by the line on which it begins
        self.used: set[str] = set()
        self.first = ""                      # the one at the top of the file
        last_line = 0
        for token in tokens:
            if token.kind == cindex.TokenKind.COMMENT:
                begin = token.extent.start
                text = plain(token.spelling, begin.column)
                if not self.first:
                    self.first = text
                    continue
                if begin.line == last_line:
                    self.behind[begin.line] = text
                else:
                    self.before[token.extent.end.line + 1] = text
            else:
                last_line = token.extent.end.line

    def of(self, cursor: cindex.Cursor) -> str:
        found = []
        for comments, line in ((self.before, cursor.extent.start.line), (self.behind, cursor.extent.end.line)):
            if line in comments:
                found.append(comments[line])
                self.used.add(comments[line])
        return "\n\n".join(found)

    def check_all_used(self) -> None:
        """A comment that belongs to nothing would be lost; those that head a section ("---- ...") may."""
        for text in [*self.before.values(), *self.behind.values()]:
            if text not in self.used and not text.startswith("----"):
                line = text.partition("\n")[0]
                raise GeneratorError(f"the comment '{line}' belongs to no declaration: none begins below it")


def plain(comment: str, column: int) -> str:
    """The text of a comment, without its marks: those of the middle lines are " * ", or blanks up to the
    column at which the text begins."""
    lines = comment[2:-2].rstrip().split("\n")
    first = lines[0][1:] if lines[0].startswith(" ") else lines[0]
    rest = []
    for line in lines[1:]:
        starred = re.match(r"^ *\* ?(.*)$", line)
        rest.append(starred[1] if starred else line[column + 2:] if not line[:column + 2].strip() else line.strip())
    return "\n".join([first, *rest]).strip("\n")


def reflow(text: str) -> str:
    """Joins the lines of each paragraph. Lines indented by four or more spaces stay; so do entries of a list,
    indented by less ("  8 bits   the code ..."), with the deeper lines below them joined."""
    lines: list[str] = []
    state = "between"
    for line in text.split("\n"):
        if not line.strip():
            state = "between"
            lines.append("")
        elif re.match(r" {1,3}\S.*?\S {2,}\S", line):
            state = "entry"
            lines.append("    " + line.strip())
        elif line.startswith("    ") and state != "entry":
            state = "kept"
            lines.append(line.rstrip())
        elif state == "paragraph" or state == "entry" and line.startswith("  "):
            lines[-1] += " " + line.strip()
        else:
            state = "paragraph"
            lines.append(line.strip())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def function_comment(name: str, text: str, statuses: list[str]) -> FunctionComment:
    """Splits the comment of the function or callback `name` into its parts; `statuses` are the words that
    its errors may begin with."""
    parts = FunctionComment()
    body, _, errors = text.partition("\nErrors: ") if not text.startswith("Errors: ") else ("", "", text[8:])
    prose, entries = split_list(body)
    parts.prose = reflow(prose)
    for names, entry in entries:
        for parameter in names.split(", "):
            if parameter in parts.notes:
                raise GeneratorError(f"{name}: its comment lists {parameter} twice")
            parts.notes[parameter] = note(name, parameter, entry)
    if errors:
        parts.errors_as, parts.errors = read_errors(name, reflow(errors), statuses)
    return parts


def split_list(body: str) -> tuple[str, list[tuple[str, str]]]:
    """The prose, and the list's entries with their continuation lines joined."""
    prose: list[str] = []
    entries: list[tuple[str, str]] = []
    for line in body.split("\n"):
        found = LIST_LINE.match(line)
        if found:
            entries.append((found[1], found[2]))
        elif entries and line.startswith("  "):
            entries[-1] = (entries[-1][0], entries[-1][1] + " " + line.strip())
        elif entries and line.strip():
            raise GeneratorError(f"prose after the list of parameters: '{line}'; expected it before the list")
        else:
            prose.append(line)
    return "\n".join(prose), entries


def note(function: str, parameter: str, entry: str) -> Note:
    head = HEAD.match(entry)
    direction, shape = (head[1], head[2]) if head else (None, None)
    text = entry[head.end():] if head else entry
    count, _, step = (shape or "").partition(", step ")
    if shape is not None and not count:
        raise GeneratorError(f"{function}: {parameter}: '[{shape}]' has no count")
    return Note(text.rstrip(), direction, count or None, step or None)


def read_errors(function: str, text: str, statuses: list[str]) -> tuple[str | None, list[dict[str, str]]]:
    """The function whose errors are meant too, and the errors by status, with their conditions."""
    other = OTHER.match(text)
    matches = list(re.finditer(rf"(?:^|[,;] )({'|'.join(statuses)})\b", text))
    if not other and (not matches or matches[0].start() != 0):
        raise GeneratorError(f"{function}: 'Errors: {text}' begins with neither 'as sugar_...' nor a status")
    errors = []
    for found, following in zip(matches, [*matches[1:], None]):
        condition = text[found.end():following.start() if following else None].strip().rstrip(".")
        if condition.startswith("(") and condition.endswith(")"):
            condition = condition[1:-1]
        errors.append({"status": found[1], "when": condition})
    return other[1] if other else None, errors
