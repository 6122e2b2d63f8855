"""@method: a typed function becomes a description and a runner.

Positional arguments are inputs (``Table[S]``, ``Tables[S]``), keyword-only arguments are parameters; the function
returns ``Table[S]`` or a frozen dataclass of tables. Everything that a reader, a form or a service needs is read from
the signature and the docstring, and nothing is written twice.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import inspect
import sys
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

from statcommons.core.errors import BadCall, OurBug
from statcommons.core.registry import domain_of
from statcommons.core.schema import Not, Pattern, Table, Tables, TableSchema, Unit, table_schema, without_none
from statcommons.core.spec import RESERVED, InputSpec, MethodSpec, OutputSpec, ParameterSpec, check_parameters

if TYPE_CHECKING:
    import ibis

    from statcommons.core.reading import TableLike

__all__ = ["Method", "method"]


class Method:
    """A function with a description: call it, describe it, run it."""

    def __init__(self, function: Callable[..., Any], facts: Mapping[str, Any], names: Mapping[str, Any]) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self._facts = dict(facts)
        self._names = names

    def __repr__(self) -> str:
        return f"<Method {self.spec.id} {self.spec.version}>"

    @functools.cached_property
    def spec(self) -> MethodSpec:
        """The plain description, read from the function at its first use."""
        return _spec(self.function, self._facts, self.hints)

    @functools.cached_property
    def hints(self) -> dict[str, Any]:
        """The resolved annotations of the function."""
        return _hints(self.function, self._names)

    def describe(self) -> MethodSpec:
        """Give the plain description of the method."""
        return self.spec

    def __call__(self, *inputs: TableLike | Sequence[TableLike] | None, **named: Any) -> Any:
        """Bind and check the inputs, compute, and give the output as an Ibis table.

        Parameters
        ----------
        *inputs : any table
            Paths, data frames, Arrow or Ibis tables, in the order of the signature.
        **named : Any
            Parameters, and inputs by name.

        Returns
        -------
        ibis.Table or dataclass of tables
            Lazily computed where the method is relational.

        Raises
        ------
        BadCall
            When a parameter is refused.
        BadData
            When an input breaks its schema.
        """
        import ibis

        from statcommons.core.check import bind
        from statcommons.core.engine import current, engine_of, using
        from statcommons.core.reading import read

        given, parameters = self.sort_arguments(inputs, named)
        tables = [one for one in given.values() if isinstance(one, ibis.Table)]
        with using(engine_of(tables[0]) if tables else current()) as engine:
            values = self.parameters(parameters)

            def bound(name: str, one: Any) -> ibis.Table:
                return bind(read(one, engine=engine, label=name), self.spec.input(name).schema).table

            ready: dict[str, Any] = {}
            for one in self.spec.inputs:
                value = given.get(one.name)
                if value is None:
                    ready[one.name] = None
                elif one.kind == "tables":
                    ready[one.name] = tuple(bound(one.name, part) for part in several_of(value))
                else:
                    ready[one.name] = bound(one.name, value)
            return self.compute(ready, values)

    def apply(self, *inputs: Any, **named: Any) -> Any:
        """Compute from Ibis tables that keep their schemas already, such as another method's: nothing is checked."""
        given, parameters = self.sort_arguments(inputs, named)
        return self.compute({one.name: given.get(one.name) for one in self.spec.inputs}, self.parameters(parameters))

    def sort_arguments(self, inputs: Sequence[Any], named: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Sort the arguments of a call into inputs and parameters, by name."""
        names = [one.name for one in self.spec.inputs]
        if len(inputs) > len(names):
            raise BadCall(f"{len(inputs)} inputs were given.", where=self.spec.id, remedy=f"Give: {', '.join(names)}.")
        given: dict[str, Any] = dict(zip(names, inputs, strict=False))
        parameters: dict[str, Any] = {}
        for name, value in named.items():
            if name in given:
                raise BadCall(f"The input {name} was given twice.", where=self.spec.id)
            (given if name in names else parameters)[name] = value
        for one in self.spec.inputs:
            if one.required and given.get(one.name) is None:
                known = f"It needs: {', '.join(column.name for column in one.schema if column.required)}."
                raise BadCall(f"The input {one.name} is missing.", where=self.spec.id, remedy=known)
        return given, parameters

    def parameters(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Check parameters and give them as the function wants them."""
        from pydantic import TypeAdapter

        plain = check_parameters(self.spec, given)
        return {name: TypeAdapter(self.hints[name]).validate_python(value) for name, value in plain.items()}

    def compute(self, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> Any:
        """Call the function on bound inputs and bring its outputs under their schemas."""
        result = self.function(**inputs, **parameters)
        outputs = self.spec.outputs
        if dataclasses.is_dataclass(result) and not isinstance(result, type):
            ready = {one.name: conform(getattr(result, one.name), one, self.spec.id) for one in outputs}
            return dataclasses.replace(result, **ready)
        return conform(result, outputs[0], self.spec.id)

    def outputs(self, result: Any) -> dict[str, ibis.Table]:
        """Name the outputs of a computed result."""
        if dataclasses.is_dataclass(result) and not isinstance(result, type):
            return {one.name: getattr(result, one.name) for one in self.spec.outputs}
        return {self.spec.outputs[0].name: result}


def conform(value: Any, output: OutputSpec, where: str) -> ibis.Table:
    """Bring what a method returned to the columns and types of its output schema."""
    import ibis

    from statcommons.core.cells import IBIS_TYPES
    from statcommons.core.reading import table

    made = value if isinstance(value, ibis.Table) else table(value, label=output.name)
    missing = [column.name for column in output.schema if column.required and column.name not in made.columns]
    if missing:
        raise OurBug(f"The output {output.name} lacks {', '.join(missing)}.", where=where)
    columns = {}
    for column in output.schema:
        kind = IBIS_TYPES[column.type]
        columns[column.name] = made[column.name].cast(kind) if column.name in made.columns else ibis.null(kind)
    return made.select(**columns)


def method(
    *,
    version: str,
    topic: str = "",
    gsbpm: str = "",
    references: Sequence[str] = (),
    exact: bool = False,
    licence: str = "Apache-2.0",
    id: str | None = None,
) -> Callable[[Callable[..., Any]], Method]:
    """Make a method of a typed function.

    Parameters
    ----------
    version : str
        Semantic version of the method; it changes when a number may.
    topic : str
        The subject-matter, such as ``Consumer prices``.
    gsbpm : str
        The phase of the Generic Statistical Business Process Model, such as ``5.7``.
    references : sequence of str
        Handbooks and papers.
    exact : bool
        Whether the same inputs give the same bytes on every engine, thread count and row order.
    licence : str
        SPDX identifier.
    id : str, optional
        ``domain.name``; by default the domain's name in the registry or the package, and the function's name.

    Returns
    -------
    callable
        The decorator.

    Examples
    --------
    >>> from typing import Annotated
    >>> from statcommons.core.schema import Ge, Measure, Schema
    >>> class Numbers(Schema):
    ...     '''Numbers.'''
    ...
    ...     x: Annotated[float, Measure, "A number"]
    >>> @method(version="1.0.0", id="demo.times")
    ... def times(numbers: Table[Numbers], *, factor: Annotated[int, Ge(1)] = 2) -> Table[Numbers]:
    ...     '''Multiply numbers.'''
    ...     return numbers.mutate(x=numbers.x * factor)
    >>> times({"x": [1.0, 2.0]}, factor=3).x.to_pyarrow().to_pylist()
    [3.0, 6.0]
    """
    facts = {
        "version": version,
        "topic": topic,
        "gsbpm": gsbpm,
        "references": tuple(references),
        "exact": exact,
        "licence": licence,
        "id": id,
    }
    names = sys._getframe(1).f_locals  # a method may be declared in a notebook's cell or a test's function
    return lambda function: Method(function, facts, names)


# --- from the function to the spec ----------------------------------------------------------------------------------


def _hints(function: Callable[..., Any], names: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, localns=dict(names), include_extras=True)
    except NameError as error:
        raise TypeError(f"{function.__qualname__}: {error}; import it outside TYPE_CHECKING") from None


def _spec(function: Callable[..., Any], facts: Mapping[str, Any], hints: Mapping[str, Any]) -> MethodSpec:
    from docstring_parser import DocstringStyle, parse

    documented = parse(inspect.getdoc(function) or "", style=DocstringStyle.NUMPYDOC)
    words = {one.arg_name: " ".join((one.description or "").split()) for one in documented.params}
    where = f"{function.__module__}.{function.__qualname__}"
    inputs, parameters = [], []
    for name, one in inspect.signature(function).parameters.items():
        if name in RESERVED:
            raise TypeError(f"{where}: {name!r} is an option of the command line; give the argument another name")
        if name not in hints:
            raise TypeError(f"{where}: {name} has no annotation")
        if one.kind is one.KEYWORD_ONLY:
            parameters.append(_parameter(one, hints[name], words.get(name, ""), where))
        elif one.kind is one.POSITIONAL_OR_KEYWORD:
            inputs.append(_input(one, hints[name], words.get(name, ""), where))
        else:
            raise TypeError(f"{where}: *{name} is neither an input nor a parameter")
    returned = {one.return_name or "": one.description or "" for one in documented.many_returns}
    return MethodSpec(
        id=facts["id"] or f"{domain_of(function.__module__)}.{function.__name__}",
        version=facts["version"],
        title=(documented.short_description or function.__name__).rstrip("."),
        description=documented.long_description or "",
        topic=facts["topic"],
        gsbpm=facts["gsbpm"],
        licence=facts["licence"],
        references=facts["references"],
        exact=facts["exact"],
        inputs=tuple(inputs),
        parameters=tuple(parameters),
        outputs=_outputs(hints.get("return"), returned, where),
        errors={one.type_name or "": " ".join((one.description or "").split()) for one in documented.raises},
        example="\n".join(
            filter(None, (part for one in documented.examples for part in (one.snippet, one.description)))
        ),
        entry={"python": f"{function.__module__}:{function.__name__}"},
    )


def _input(one: inspect.Parameter, hint: Any, description: str, where: str) -> InputSpec:
    inner, optional = without_none(hint)
    kinds = {Table: "table", Tables: "tables"}
    if get_origin(inner) not in kinds:
        known = "Table[S] or Tables[S], with | None = None when it is optional"
        raise TypeError(f"{where}: the input {one.name} is annotated {hint!r}; write {known}")
    if optional != (one.default is None):
        raise TypeError(f"{where}: an optional input is written {one.name}: Table[S] | None = None")
    return InputSpec(one.name, table_schema(get_args(inner)[0]), kinds[get_origin(inner)], not optional, description)


def _parameter(one: inspect.Parameter, hint: Any, description: str, where: str) -> ParameterSpec:
    from pydantic import PydanticSchemaGenerationError, TypeAdapter

    from statcommons.core.spec import plain

    unit = next((item.name for item in get_args(hint)[1:] if isinstance(item, Unit)), "")
    if get_origin(hint) is Annotated:
        description = description or next((item for item in get_args(hint)[1:] if isinstance(item, str)), "")
    try:
        schema = TypeAdapter(hint).json_schema() | _own_checks(hint)
    except PydanticSchemaGenerationError:
        raise TypeError(f"{where}: the parameter {one.name} has a type that no form can show: {hint!r}") from None
    required = one.default is one.empty
    return ParameterSpec(one.name, schema, required, None if required else plain(one.default), unit, description)


def _own_checks(hint: Any) -> dict[str, Any]:
    """Give the checks of an annotation that only we know."""
    found: dict[str, Any] = {}
    for item in get_args(hint)[1:] if get_origin(hint) is Annotated else ():
        found |= {"not": {"const": item.value}} if isinstance(item, Not) else {}
        found |= {"pattern": item.regex} if isinstance(item, Pattern) else {}
    return found


def _outputs(hint: Any, words: Mapping[str, str], where: str) -> tuple[OutputSpec, ...]:
    def schema(one: Any) -> TableSchema:
        if get_origin(one) is not Table:
            raise TypeError(f"{where}: it returns {one!r}; write Table[S] or a frozen dataclass of them")
        return table_schema(get_args(one)[0])

    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint, include_extras=True)
        return tuple(OutputSpec(name, schema(one), words.get(name, "")) for name, one in hints.items())
    description = " ".join(" ".join(words.values()).split())
    return (OutputSpec("result", schema(hint), description),)


def several_of(value: Any) -> Sequence[Any]:
    """Take what a user gives for an input of several tables: a list of them, one alone, or a folder of folders.

    Parameters
    ----------
    value : list, tuple or any table
        What was given. A folder that has nothing but folders stands for these, in the order of their names; what begins
        with a dot or an underscore is passed over, as in reading.

    Examples
    --------
    >>> several_of("a.csv"), several_of(["a.csv", "b.csv"])
    (['a.csv'], ['a.csv', 'b.csv'])
    """
    several = value if isinstance(value, list | tuple) else [value]
    if len(several) == 1 and isinstance(several[0], str | Path) and Path(several[0]).is_dir():
        inside = sorted(one for one in Path(several[0]).iterdir() if not one.name.startswith((".", "_")))
        if inside and all(one.is_dir() for one in inside):
            return [str(one) for one in inside]
    return several


def code_digest(function: Callable[..., Any]) -> str:
    """Compute the digest of the code behind a method: its package's files, by relative path and content.

    A method outside a package, as in a script, is hashed with its file; one of a notebook by its own text.

    Parameters
    ----------
    function : callable
        The function of a method.

    Returns
    -------
    str
        SHA-256 in hexadecimal.
    """
    package = _file_of(function.__module__.partition(".")[0])
    if package and package.name == "__init__.py":
        return _folder_digest(package.parent)
    file = _file_of(function.__module__)
    text = file.read_bytes() if file else inspect.getsource(function).encode()
    return hashlib.sha256(text).hexdigest()


def _file_of(module: str) -> Path | None:
    file = getattr(sys.modules.get(module), "__file__", None)
    return Path(file) if file else None


@functools.cache
def _folder_digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()
