"""Pages that are made from the code when the documentation is built: methods, sources, commands, Python names."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NewType

import click
from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.typing import ExtensionMetadata

import statcommons
from statcommons.cli.main import COMMANDS, cli
from statcommons.core import faces, registry
from statcommons.core.method import Method
from statcommons.core.source import Source

WIDTH = 100


# --- methods and sources --------------------------------------------------------------------------------------------


def method_pages() -> dict[str, str]:
    """Write the page of each method, by the name of its file."""
    return {f"{id}.md": faces.page(registry.find_method(id).spec) for id in registry.methods()}


def sources_page() -> str:
    """Write the card of each source."""
    return "\n\n".join(_card(id) for id in registry.sources())


def _card(id: str) -> str:
    spec = registry.find_source(id).spec
    had = {
        "package": f"in a package that the extra `{spec.extra}` installs",
        "download": "fetched when you ask for it",
        "simulated": "simulated",
    }
    facts = {
        "Version": spec.method.version,
        "How it is had": had[spec.access],
        "Publisher": spec.publisher,
        "Licence": spec.licence,
        "Terms": spec.terms,
    }
    parts = [f"## `{id}`", f"**{spec.method.title}.** {spec.method.description}"]
    parts.append(
        "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in facts.items() if value)])
    )
    if spec.method.parameters:
        rows = [
            f"| `{one.name}` | `{one.default}` | {one.allowed()} | {one.unit} | {one.description} |"
            for one in spec.method.parameters
        ]
        parts.append("\n".join(["| parameter | default | allowed | unit | what |", "|---|---|---|---|---|", *rows]))
    for output in spec.method.outputs:
        parts += [f"### `{output.name}` of `{id}`", output.schema.description, output.schema.as_markdown()]
    if spec.method.references:
        parts.append("\n".join(f"- {one}" for one in spec.method.references))
    return "\n\n".join(part for part in parts if part)


# --- commands -------------------------------------------------------------------------------------------------------


def commands() -> Iterator[tuple[str, click.Command]]:
    """Give each command with its words; of the methods' and simulators' own one stands for all."""
    yield "statcommons", cli
    shown = {"run": ["prices.multilateral_index"], "simulate": ["prices.scanner_market"]}
    context = click.Context(cli, info_name="statcommons")
    for name in COMMANDS:
        command = cli.get_command(context, name)
        if command is None:
            continue
        yield f"statcommons {name}", command
        if isinstance(command, click.Group):
            within = click.Context(command)
            for one in shown.get(name) or command.list_commands(within):
                if inner := command.get_command(within, one):
                    yield f"statcommons {name} {one}", inner


def commands_page() -> str:
    """Write the help of each command."""
    parts = []
    for words, command in commands():
        context = click.Context(command, info_name=words, terminal_width=WIDTH, max_content_width=WIDTH)
        context.help_option_names = ["-h", "--help"]
        parts += [f"## `{words}`", f"```text\n{command.get_help(context)}\n```"]
    return "\n\n".join(parts)


# --- Python names ---------------------------------------------------------------------------------------------------


def modules() -> Iterator[Any]:
    """Give the modules that have public names, the face of the library first; the hub is no library."""
    yield statcommons
    found = pkgutil.walk_packages(statcommons.__path__, "statcommons.")
    names = [one.name for one in found if not one.name.startswith("statcommons.hub")]
    for module in map(importlib.import_module, names):
        if hasattr(module, "__all__"):
            yield module


def public_names(module: Any) -> dict[str, Any]:
    """Give the public names of a module that are its own; others are only shown again."""
    names = {name: getattr(module, name) for name in module.__all__ if hasattr(module, name)}
    return {name: one for name, one in names.items() if _home(one, module) == module.__name__}


def is_function(one: Any) -> bool:
    """Whether a name is a function, also one behind a cache, a method or a source."""
    return callable(one) and inspect.isfunction(inspect.unwrap(one))


def _home(one: Any, module: Any) -> str:
    own = inspect.isclass(one) or is_function(one) or isinstance(one, NewType)
    return str(one.__module__) if own else str(module.__name__)


def names_page() -> str:
    """Write the docstrings of all public names, as Sphinx's autodoc reads them."""
    parts: list[str] = []
    parents = {module.__name__: module.__all__ for module in modules()}
    for module in modules():
        own = public_names(module)
        again = [name for name in module.__all__ if name not in own and hasattr(module, name)]
        parts += [f"## `{module.__name__}`", (inspect.getdoc(module) or "").split("\n\n")[0]]
        if module.__name__.rpartition(".")[2] not in parents.get(module.__name__.rpartition(".")[0], ()):
            parts.append(f"```{{py:module}} {module.__name__}\n```")
        parts += [_again(module, name) for name in again]
        for name, one in own.items():
            parts.append(_entry(module.__name__, name, one))
    return "\n\n".join(part for part in parts if part)


def _again(module: Any, name: str) -> str:
    """Give a name that is at home elsewhere an address here too."""
    one = getattr(module, name, None)
    home = _home(one, module)
    kind = "class" if inspect.isclass(one) else "function" if is_function(one) else "data"
    ours = home.startswith("statcommons")
    there = f"{{py:obj}}`{home}.{name}`" if ours else f"`{home}.{name}`"
    return _directive(kind, module.__name__, name, f"The same as {there}.")


def _entry(module: str, name: str, one: Any) -> str:
    if isinstance(one, Method):
        return _directive("function", module, name, f"The method [{one.spec.id}](../methods/{one.spec.id}.md).")
    if isinstance(one, Source):
        return _directive("function", module, name, f"The source `{one.spec.id}`: see [Sources](sources.md).")
    if not is_function(one) and not inspect.isclass(one):
        return _directive("data", module, name, described(module).get(name, ""))
    kind, options = ("autoclass", ["   :members:"]) if inspect.isclass(one) else ("autofunction", [])
    return "\n".join(["```{eval-rst}", f".. {kind}:: {module}.{name}", *options, "```"])


def _directive(kind: str, module: str, name: str, text: str) -> str:
    return f"```{{py:{kind}}} {name}\n:module: {module}\n\n{text}\n```"


def described(module: str) -> dict[str, str]:
    """Give the texts that stand below a module's constants."""
    words = ModuleAnalyzer.for_module(module).find_attr_docs()
    return {name: " ".join(" ".join(lines).split()) for (owner, name), lines in words.items() if not owner}


# --- the hook -------------------------------------------------------------------------------------------------------

FILLED = {"reference/cli": commands_page, "reference/sources": sources_page, "reference/api": names_page}


def write_methods(app: Sphinx) -> None:
    """Write the pages of the methods, and remove those of methods that are gone."""
    folder = Path(app.srcdir) / "methods"
    pages = method_pages()
    for left in folder.glob("*.*.md"):
        if left.name not in pages:
            left.unlink()
    for name, text in pages.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def fill(_: Sphinx, name: str, source: list[str]) -> None:
    """Put what is made below the words that stand on the page."""
    if name in FILLED:
        source[0] += "\n" + FILLED[name]() + "\n"


def renew(_: Sphinx, __: Any, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    """Read these pages at each build, because Sphinx does not see what they are made from."""
    return list(FILLED)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Join the build."""
    app.add_lexer("csv", TextLexer)
    app.connect("builder-inited", write_methods)
    app.connect("env-get-outdated", renew)
    app.connect("source-read", fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
