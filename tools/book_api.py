"""The package's reference for the book, a page for each room, from the files' signatures and docstrings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

SECTIONS = ("Args", "Returns", "Raises", "Yields")


def pages(package: Path) -> dict[str, str]:
    """For each room of the package, a folder or a file of its own, its page in Markdown, by document."""
    rooms = {}
    for path in sorted(package.iterdir()):
        if path.is_dir() and (path / "__init__.py").exists():
            files = sorted(file for file in path.glob("*.py") if not file.stem.startswith("_"))
            rooms[path.name] = [path / "__init__.py", *files]
        elif path.suffix == ".py" and not path.stem.startswith("_"):
            rooms[path.stem] = [path]
    return {f"api_{name}": _page(package.name, name, files) for name, files in rooms.items()}


def overview(package: Path, names: list[str]) -> str:
    """The page that lists the rooms."""
    lines = [
        "# The package `course_utils`",
        "",
        "Every public function with its docstring, room by room.",
        "",
    ]
    for name in names:
        room = name.removeprefix("api_")
        file = package / room / "__init__.py"
        text = (file if file.exists() else package / f"{room}.py").read_text(encoding="utf-8")
        first = (ast.get_docstring(ast.parse(text)) or "").split("\n\n")[0]
        lines.append(f"- [`{room}`]({name}.md): {escaped(' '.join(first.split()))}")
    tree = "\n".join(f"{name.removeprefix('api_')} <{name}>" for name in names)
    return "\n".join([*lines, "", f"```{{toctree}}\n:hidden:\n\n{tree}\n```", ""])


def _page(package: str, room: str, files: list[Path]) -> str:
    parts = [f"# `{package}.{room}`"]
    for file in files:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        here = file.stem == "__init__" or len(files) == 1
        module = f"{package}.{room}" if here else f"{package}.{room}.{file.stem}"
        shown = [*_definitions(tree)]
        if not here:
            if not shown:
                continue
            parts.append(f"## `{file.stem}`")
        parts.append(escaped(ast.get_docstring(tree) or ""))
        parts += [_definition(node, module) for node in shown]
    return "\n\n".join(part for part in parts if part) + "\n"


def _definitions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node


def _definition(node: ast.FunctionDef | ast.ClassDef, module: str) -> str:
    if isinstance(node, ast.FunctionDef):
        body = [f"{{py:function}} {module}.{signature(node)}", *_described(node)]
    else:
        made = next((one for one in node.body if getattr(one, "name", "") == "__init__"), None)
        arguments = signature(made, bound=True).removeprefix("__init__").partition(" ->")[0] if made else ""
        methods = [one for one in _definitions(node) if isinstance(one, ast.FunctionDef)]
        inner = [_method(one) for one in methods if ast.get_docstring(one)]
        body = [f"{{py:class}} {module}.{node.name}{arguments}", *_described(node), *inner]
    return _fence(body, ":::::")


def _method(node: ast.FunctionDef) -> str:
    kind = (
        "property" if any(getattr(one, "id", "") == "property" for one in node.decorator_list) else "method"
    )
    if kind == "property":
        return _fence([f"{{py:property}} {node.name}", *_described(node)], "::::")
    return _fence([f"{{py:method}} {signature(node, bound=True)}", *_described(node)], "::::")


def _fence(body: list[str], colons: str) -> str:
    head, *rest = body
    return "\n".join([f"{colons}{head}", "", "\n\n".join(rest), colons])


def signature(node: ast.FunctionDef, bound: bool = False) -> str:
    """`name(arguments) -> result` as it is written."""
    arguments = ast.unparse(node.args)
    if bound:
        arguments = re.sub(r"^(self|cls)(, )?", "", arguments)
    result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{node.name}({arguments}){result}"


def _described(node: ast.FunctionDef | ast.ClassDef) -> list[str]:
    """A docstring as Markdown: prose as it is, arguments as a list."""
    text = ast.get_docstring(node) or ""
    parts: list[str] = []
    for block in re.split(r"\n\n", text):
        head, _, rest = block.partition("\n")
        if head.rstrip(":") in SECTIONS and head.endswith(":"):
            parts.append(f"**{head.rstrip(':')}**\n\n{_items(rest)}")
        elif block.startswith("    ") and parts:
            parts.append(f"```python\n{_dedented(block)}\n```")
        else:
            parts.append(escaped(block))
    return [part for part in parts if part.strip()]


def _items(text: str) -> str:
    """The indented lines of a section: `name: what it is`, continued on deeper lines."""
    items: list[str] = []
    for line in _dedented(text).splitlines():
        if line.startswith(" ") and items:
            items[-1] += " " + line.strip()
        elif line.strip():
            items.append(line.strip())
    found = []
    for item in items:
        name, colon, words = item.partition(": ")
        named = colon and re.fullmatch(r"[\w*]+(?:, [\w*]+)*", name)
        found.append(f"- `{name}`: {escaped(words)}" if named else f"- {escaped(item)}")
    return "\n".join(found)


def _dedented(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    depth = min((len(line) - len(line.lstrip()) for line in lines), default=0)
    return "\n".join(line[depth:] for line in text.splitlines())


def escaped(text: str) -> str:
    """Prose of a docstring as Markdown: what stands in backquotes is code, nothing else means anything."""
    parts = re.split(r"(``[^`]+``|`[^`\n]+`)", text)
    plain = [
        re.sub(r"([*_\[\]<>|$#~^{}\\])", r"\\\1", part) if not number % 2 else part
        for number, part in enumerate(parts)
    ]
    return re.sub(r"^(\d+)\. ", r"\1\\. ", "".join(plain), flags=re.MULTILINE)
