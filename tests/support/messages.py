# SPDX-License-Identifier: Apache-2.0
"""What the tools say in a failure, as it stands in their sources: no tool is run.

A message is known here by its shape: what is variable in it is "…", and the "…: " in front, most
often the name of a device or a file, is left away.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SOURCES = ["host/host_common", "host/linux"]  # and below; C
PYTHON = "host/linux/host_control/python_support"

# These end in a fault's text although no fault is among their arguments, or are its last words.
SAYING = {"cli_usage", "fault_set", "fault_add"}
# The tools' own words, past any fault: what these write to stderr.
PRINTING = {"fprintf", "fputs"}
PRINTERS = ("host/linux/cli/", "host/linux/esp-ota/")
# These return words for one: whatever text they contain.
WORDS = re.compile(r"\b\w*(?:error_text|_reason)\((?=[^;{}]*\)\s*\{)")

TOKEN = re.compile(
    r"""(?P<comment>/\*.*?\*/|//[^\n]*)
      | (?P<string>"(?:\\.|[^"\\\n])*")
      | (?P<char>'(?:\\.|[^'\\\n])*')
      | (?P<directive>(?m:^[ \t]*\#(?:[^\n\\]|\\.|\\\n)*))
      | (?P<name>[A-Za-z_]\w*)
      | (?P<mark>[^\s])""",
    re.VERBOSE | re.DOTALL,
)
CONVERSION = re.compile(r"%(?:%|[-+ #0]*(?:\*|\d+)?(?:\.(?:\*|\d+))?(?:hh?|ll?|z|j|t)?[a-zA-Z])")
MACRO = re.compile(r"PRI\w+|[A-Z][A-Z0-9_]*")  # may be a text
STATUS = re.compile(r"HOSTED_(LOCAL|USAGE|IMAGE|NO_ANSWER|REFUSED|NOT_UP|BUSY|NOTHING)\b")
NUMBERS = dict(LOCAL=1, USAGE=2, IMAGE=3, NO_ANSWER=4, REFUSED=5, NOT_UP=6, BUSY=7, NOTHING=8)


@dataclass(frozen=True)
class Said:
    """One message of one place."""

    shape: str
    where: str
    status: int | None  # as far as the place itself says it


def shape(text: str) -> str:
    """The shape of a message that is written with "…" or with the conversions of printf."""
    text = CONVERSION.sub(lambda found: "%" if found.group() == "%%" else "…", text)
    text = re.sub("…+", "…", text).removesuffix("; …")
    while text.startswith("…: "):
        text = text[len("…: ") :]
    return text.strip()


def _tokens(text: str) -> list[tuple[str, str, int]]:
    return [
        (found.lastgroup or "", found.group(), found.start())
        for found in TOKEN.finditer(text)
        if found.lastgroup not in ("comment", "directive")
    ]


def _unquote(literal: str) -> str:
    return literal[1:-1].replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")


Argument = list[tuple[str, str, int]]


def _arguments(tokens: Argument, at: int) -> list[Argument]:
    """The arguments of the call whose "(" is at `at`."""
    depth = 0
    arguments: list[Argument] = [[]]
    for token in tokens[at:]:
        if token[1] in ("(", "[", "{"):
            depth += 1
            if depth == 1:
                continue
        elif token[1] in (")", "]", "}"):
            depth -= 1
            if depth == 0:
                break
        elif token[1] == "," and depth == 1:
            arguments.append([])
            continue
        arguments[-1].append(token)
    return arguments


def _texts(argument: Argument) -> list[str]:
    """The texts in an argument: one, or those of `a ? "x" : "y"`; "" is none."""
    texts = [""]
    for kind, text, _ in argument:
        if kind == "string":
            texts[-1] += _unquote(text)
        elif kind == "name" and texts[-1] and MACRO.fullmatch(text):
            texts[-1] = texts[-1].rstrip("%") + "…"  # a macro between two literals
        else:
            texts.append("")
    return [text for text in texts if text]


def _is_fault(argument: Argument) -> bool:
    names = [text for kind, text, _ in argument if kind == "name"]
    return bool(names) and (names[-1] == "fault" or names[-1].endswith("_fault"))


def _status(arguments: list[Argument]) -> int | None:
    found = STATUS.findall(" ".join(text for part in arguments for _, text, _ in part))
    return NUMBERS[found[0]] if len(found) == 1 else None


def _in_calls(tokens: Argument) -> Iterator[tuple[str, int, int | None]]:
    for at, (kind, name, start) in enumerate(tokens[:-1]):
        if kind != "name" or tokens[at + 1][1] != "(":
            continue
        arguments = _arguments(tokens, at + 1)
        if name not in SAYING and not any(_is_fault(argument) for argument in arguments):
            continue
        if name == "fault_errno":  # what the system says of an object: no words of ours
            continue
        for argument in arguments:
            if any(token[1] == "(" for token in argument):
                continue  # a call of its own
            # Beside a format, texts are what it is filled with.
            for text in _texts(argument):
                yield text, start, _status(arguments)
            if name in SAYING and _texts(argument):
                break


def _printed(tokens: Argument) -> Iterator[tuple[str, int, int | None]]:
    for at, (_, name, start) in enumerate(tokens[:-1]):
        if name not in PRINTING or tokens[at + 1][1] != "(":
            continue
        arguments = _arguments(tokens, at + 1)
        if any([token[1] for token in argument] == ["stderr"] for argument in arguments):
            formats = [text for argument in arguments for text in _texts(argument)]
            # A format of nothing but conversions says what stands elsewhere.
            if formats and re.search(r"[a-z]", shape(formats[0])):
                yield formats[0], start, None


def _in_words(text: str) -> Iterator[tuple[str, int, int | None]]:
    for found in WORDS.finditer(text):
        end = text.find("\n}", found.end())
        body = _tokens(text[found.end() : end])
        at = 0
        while at < len(body):
            if body[at][0] == "string":
                literal = ""
                while at < len(body) and body[at][0] == "string":
                    literal += _unquote(body[at][1])
                    at += 1
                yield literal, found.start(), None
            at += 1


def c_messages(root: Path) -> list[Said]:
    """What C sources give a fault as words."""
    said = []
    files = [path for folder in SOURCES for path in (root / folder).rglob("*.c")]
    for path in sorted([*files, *(root / "common").glob("*.c")]):
        text = path.read_text()
        name = str(path.relative_to(root))
        tokens = _tokens(text)
        printed = _printed(tokens) if name.startswith(PRINTERS) else ()
        for words, start, status in [*_in_calls(tokens), *_in_words(text), *printed]:
            where = f"{name}:{text.count(chr(10), 0, start) + 1}"
            if " " in shape(words):  # one word is no message, but what one is filled with
                said.append(Said(shape(words), where, status))
    return said


def _python_text(node: ast.expr, variables: dict[str, str | None] | None = None) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = [_python_text(part, variables) or "…" for part in node.values]
        return "".join(parts)
    if isinstance(node, ast.FormattedValue):
        return _python_text(node.value, variables)
    if isinstance(node, ast.Name) and variables is not None:
        return variables.get(node.id)
    return None


def python_messages(root: Path) -> list[Said]:
    """What the Python tools raise as OtaError, or as one of its kinds, of their own."""
    said = []
    for path in sorted((root / PYTHON).rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text())):
            if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            texts = {}  # by the variable that they are assigned to
            for node in ast.walk(function):
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                    texts[node.targets[0].id] = _python_text(node.value)
            for node in ast.walk(function):
                if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                    continue
                if not re.fullmatch(r"Ota\w*Error", node.func.id) or len(node.args) < 2:
                    continue
                text = _python_text(node.args[1], texts)
                if text:
                    where = f"{path.relative_to(root)}:{node.lineno}"
                    said.append(Said(shape(text), where, None))
    return said


def all_texts(root: Path) -> set[str]:
    """The shapes of every text there is in the sources of the tools."""
    shapes = set()
    files = [path for folder in SOURCES for path in (root / folder).rglob("*.[ch]")]
    for path in [*files, *(root / "common").glob("*.[ch]")]:
        literal = ""
        for kind, text, _ in [*_tokens(path.read_text()), ("end", "", 0)]:
            if kind == "string":
                literal += _unquote(text)
            elif literal and kind == "name" and MACRO.fullmatch(text):
                literal = literal.rstrip("%") + "…"
            elif literal:
                shapes.add(shape(literal))
                literal = ""
    for path in (root / PYTHON).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            text = _python_text(node) if isinstance(node, ast.expr) else None
            if text:
                shapes.add(shape(text))
    return shapes
