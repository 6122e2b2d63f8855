"""The contract of a method, as checks that its author can run on it, in our packages and in anybody's.

>>> from statcommons import prices
>>> [name for name, check in method_checks(prices.unit_values)][:3]
['is documented', 'has an example that runs', 'is the same read back from method.toml']

With pytest::

    @pytest.mark.parametrize(("name", "check"), method_checks(my_method, my_inputs))
    def test_contract(name, check):
        check()
"""

from __future__ import annotations

import copy
import doctest
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from statcommons.core import faces
from statcommons.core.digest import content_digest
from statcommons.core.engine import Engine, connect, using
from statcommons.core.errors import BadCall, BadData
from statcommons.core.method import Method
from statcommons.core.quality import collecting
from statcommons.core.spec import InputSpec, MethodSpec, ParameterSpec

__all__ = ["bad_values", "check_method", "method_checks"]

Check = tuple[str, Callable[[], None]]


def check_method(method: Method, inputs: Mapping[str, Any] | None = None) -> list[str]:
    """Run the whole contract on a method; the first broken promise raises.

    Parameters
    ----------
    method : Method
        The method.
    inputs : mapping, optional
        A small example of its inputs, as Arrow tables by name. With it, what the method computes is checked too.

    Returns
    -------
    list of str
        The promises that hold.

    Raises
    ------
    AssertionError
        The promise that does not hold, and why.

    Examples
    --------
    >>> from statcommons import prices
    >>> check_method(prices.unit_values)[0]
    'is documented'
    """
    kept = []
    for name, check in method_checks(method, inputs):
        check()
        kept.append(name)
    return kept


def method_checks(method: Method, inputs: Mapping[str, Any] | None = None) -> list[Check]:
    """List the checks of a method, to run one by one.

    Parameters
    ----------
    method : Method
        The method.
    inputs : mapping, optional
        A small example of its inputs, as Arrow tables by name.

    Returns
    -------
    list of (str, callable)
        What is promised, and a function that raises when it is not kept.

    Examples
    --------
    >>> from statcommons import prices
    >>> method_checks(prices.unit_values)[-1][0]
    'refuses an unknown parameter by the nearest name'
    """
    checks: list[Check] = [
        ("is documented", partial(_documented, method)),
        ("has an example that runs", partial(_example_runs, method)),
        ("is the same read back from method.toml", partial(_round_trip, method.spec)),
        ("has all faces", partial(_faces, method.spec)),
    ]
    checks += [
        (f"refuses {one.name} = {value!r} with cause and remedy", partial(_refuses, method, one, value))
        for one in method.spec.parameters
        for value in bad_values(one)
    ]
    checks.append(("refuses an unknown parameter by the nearest name", partial(_refuses_unknown, method)))
    if inputs is not None:
        checks += [
            (f"refuses {name} without its column {column}", partial(_refuses_without, method, inputs, name, column))
            for name in inputs
            for column in (one.name for one in method.spec.input(name).schema if one.required)
        ]
        checks.append(("keeps its output's schema, key and bytes, and its inputs", partial(_steady, method, inputs)))
    return checks


def bad_values(parameter: ParameterSpec) -> list[Any]:
    """Give values that a parameter must refuse, made from its JSON Schema.

    Parameters
    ----------
    parameter : ParameterSpec
        The parameter.

    Examples
    --------
    >>> bad_values(ParameterSpec("window", {"type": "integer", "minimum": 2}))
    [1, 2.5, 'many', None]
    """
    options = parameter.schema.get("anyOf", [parameter.schema])
    nullable = any(option.get("type") == "null" for option in options)
    found = [value for option in options for value in _bad(option)]
    return [*found, *([] if nullable else [None])]


def _bad(schema: Mapping[str, Any]) -> Iterator[Any]:
    if "enum" in schema or "const" in schema:
        yield "no such choice"
        return
    edges = (("minimum", -1), ("maximum", 1), ("exclusiveMinimum", 0), ("exclusiveMaximum", 0))
    yield from (schema[name] + step for name, step in edges if name in schema)
    if "not" in schema:
        yield schema["not"]["const"]
    kind = schema.get("type")
    yield from {
        "integer": (2.5, "many"),
        "number": (float("inf"), float("nan"), "many"),
        "boolean": ("perhaps", 3),
        "array": (3,),
        "object": (3,),
        "string": (["a", "list"],),
    }.get(str(kind), ())
    if kind == "string" and ("format" in schema or "pattern" in schema):
        yield "\0 no such text"


def _promise(kept: bool, words: str) -> None:
    """Raise where a promise is not kept; a plain assert would keep silent under ``python -O``."""
    if not kept:
        raise AssertionError(words)


def _documented(method: Method) -> None:
    spec = method.spec
    _promise(spec.title not in ("", method.function.__name__), "The docstring has no first line.")
    _promise(bool(spec.description), "The docstring says no more than its title.")
    arguments: list[InputSpec | ParameterSpec] = [*spec.inputs, *spec.parameters]
    for one in arguments:
        _promise(bool(one.description), f"{one.name} is not described.")
    for output in spec.outputs:
        _promise(bool(output.description), f"The output {output.name} is not described (Returns).")
        for column in output.schema:
            _promise(bool(column.description), f"The column {column.name} of {output.name} is not described.")
    _promise(spec.version.count(".") == 2, f"The version {spec.version} is not semantic (1.0.0).")
    documented = set(_documented_names(method))
    unknown = documented - {one.name for one in arguments}
    _promise(not unknown, f"The docstring describes {', '.join(sorted(unknown))}, which the signature does not have.")


def _documented_names(method: Method) -> list[str]:
    from docstring_parser import DocstringStyle, parse

    parsed = parse(inspect.getdoc(method.function) or "", style=DocstringStyle.NUMPYDOC)
    return [one.arg_name for one in parsed.params if one.args[0] == "param"]


def _example_runs(method: Method) -> None:
    module = sys.modules[method.function.__module__]
    examples = doctest.DocTestFinder(recurse=False).find(method.function, method.spec.id, globs=dict(vars(module)))
    examples = [one for one in examples if one.examples]
    _promise(bool(examples), "The docstring has no example.")
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE, verbose=False)
    failed = [one.name for one in examples if runner.run(one, clear_globs=False).failed]
    _promise(not failed, "The example gives something else than it says.")


def _round_trip(spec: MethodSpec) -> None:
    again = MethodSpec.from_toml(spec.as_toml())
    _promise(again.as_dict() == spec.as_dict(), "method.toml does not hold all that the function says.")


def _faces(spec: MethodSpec) -> None:
    from jsonschema import Draft202012Validator

    again = MethodSpec.from_toml(spec.as_toml())
    form = faces.form(again)
    Draft202012Validator.check_schema(form)
    process = faces.ogc_process(again)
    names = {one.name for one in spec.inputs} | {one.name for one in spec.parameters}
    _promise(set(form["properties"]) == set(process["inputs"]) == names, "A face lacks an input or a parameter.")
    page = faces.page(again)
    missing = [name for name in names if f"`{name}`" not in page]
    _promise(not missing, f"The page does not name {', '.join(missing)}.")


def _refuses(method: Method, parameter: ParameterSpec, value: Any) -> None:
    required = {one.name: one.default for one in method.spec.parameters if one.required}
    try:
        method.parameters({**required, parameter.name: value})
    except BadCall as error:
        _promise(parameter.name in error.what, f"The refusal does not name the parameter: {error}")
        _promise(repr(value) in error.what, f"The refusal does not name the value: {error}")
        _promise(error.remedy.startswith("Give "), f"The refusal names no remedy: {error}")
        return
    raise AssertionError(f"{parameter.name} = {value!r} is not refused.")


def _refuses_unknown(method: Method) -> None:
    names = [one.name for one in method.spec.parameters]
    wrong = names[0] + "x" if names else "anything"
    try:
        method.parameters({wrong: 1})
    except BadCall as error:
        _promise(wrong in error.what, f"The refusal does not name the parameter: {error}")
        _promise(not names or names[0] in error.remedy, f"The refusal does not name the nearest: {error}")
        return
    raise AssertionError(f"The unknown parameter {wrong} is not refused.")


def _refuses_without(method: Method, inputs: Mapping[str, Any], name: str, column: str) -> None:
    lacking = {**inputs, name: inputs[name].drop_columns([column])}
    try:
        method(**lacking)
    except BadData as error:
        _promise(any(column in cause.rule for cause in error.causes), f"The refusal does not name {column}: {error}")
        return
    raise AssertionError(f"{name} without {column} is not refused.")


def _steady(method: Method, inputs: Mapping[str, Any]) -> None:
    """Compute with one thread and with two, in order and reversed, and compare."""
    from statcommons.core.check import count_broken, count_repeated

    before = {name: copy.copy(table) for name, table in inputs.items()}
    found = []
    for threads, turned in ((1, False), (2, False), (2, True)):
        given = {name: table[::-1] if turned else table for name, table in inputs.items()}
        with connect(threads=threads) as engine, using(engine), collecting():
            made = method.outputs(method(**{name: engine.adopt(table) for name, table in given.items()}))
            for one in method.spec.outputs:
                broken = engine.row(count_broken(made[one.name], one.schema))
                wrong = {rule: count for rule, count in broken.items() if rule != "rows" and count}
                _promise(not wrong, f"The output {one.name} breaks its schema: {wrong}")
                if one.schema.key:
                    repeated = engine.row(count_repeated(made[one.name], one.schema))["rows"]
                    _promise(not repeated, f"The key of {one.name} repeats.")
            found.append({name: _digest(engine, table) for name, table in made.items()})
    _promise(all(table.equals(before[name]) for name, table in inputs.items()), "The method changed its inputs.")
    if method.spec.exact:
        _promise(
            found[0] == found[1] == found[2], "The method is marked exact, but its bytes depend on threads or order."
        )


def _digest(engine: Engine, table: Any) -> str:
    collected = engine.collect(table)
    return content_digest(collected.sort_by([(name, "ascending") for name in collected.column_names]))
