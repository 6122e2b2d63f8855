"""Who sees which jobs, and a call of a method as a person types it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from statcommons.core.errors import BadCall
from statcommons.core.run import Run, load_run
from statcommons.core.spec import MethodSpec, ParameterSpec, check_parameters, from_text
from statcommons.hub.methods.models import Job
from statcommons.hub.methods.worker import settled
from statcommons.hub.people.models import Person

__all__ = ["Field", "fields", "run_of", "typed", "visible"]

DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹٫", "01234567890123456789.")


def visible(jobs: QuerySet[Job], person: Person | AnonymousUser) -> QuerySet[Job]:
    """Keep the jobs that a person may see: one's own; an administrator sees all.

    Parameters
    ----------
    jobs : QuerySet of Job
        Any jobs.
    person : Person
        Who looks; nobody who is not signed in sees any.
    """
    if not person.is_authenticated:
        return jobs.none()
    return jobs if person.is_superuser else jobs.filter(owner=person)


def run_of(job: Job) -> Run:
    """Give the run that a job made.

    Parameters
    ----------
    job : Job
        A job that was successful.
    """
    return load_run(settled(settings.HOME, job.run))


@dataclass(frozen=True)
class Field:
    """A parameter of a method as a form shows it.

    Parameters
    ----------
    spec : ParameterSpec
        The parameter.
    text : str
        What stands in the field.
    error : str
        What is wrong with it.
    """

    spec: ParameterSpec
    text: str
    error: str = ""

    @property
    def name(self) -> str:
        """The name in the form, apart from those of inputs."""
        return f"parameter_{self.spec.name}"

    @property
    def label(self) -> str:
        """The name as a reader would write it."""
        return self.spec.name.replace("_", " ").capitalize()

    @property
    def choices(self) -> list[str]:
        """What may be chosen, where that is a list."""
        for option in self.spec.schema.get("anyOf", [self.spec.schema]):
            if "enum" in option:
                return [str(one) for one in option["enum"]]
            if option.get("type") == "boolean":
                return ["true", "false"]
        return []

    @property
    def is_number(self) -> bool:
        """Whether a number is asked for."""
        kinds = {option.get("type") for option in self.spec.schema.get("anyOf", [self.spec.schema])}
        return bool(kinds & {"integer", "number"})


def fields(spec: MethodSpec, given: Mapping[str, str] | None = None) -> list[Field]:
    """Give the fields of a method's form, with what was typed, or else the defaults.

    Parameters
    ----------
    spec : MethodSpec
        The method.
    given : mapping, optional
        What was typed, by the name in the form.
    """
    found = [Field(one, _written(one.default)) for one in spec.parameters]
    return found if given is None else [replace(one, text=given.get(one.name, "").strip()) for one in found]


def typed(spec: MethodSpec, asked: list[Field]) -> tuple[dict[str, Any], list[Field]]:
    """Read what was typed; gives the parameters, and the fields with what is wrong with each.

    An empty field is one that was left out. Numbers may be written with a comma, and in Arabic digits.

    Parameters
    ----------
    spec : MethodSpec
        The method.
    asked : list of Field
        The fields as they were typed.
    """
    values: dict[str, Any] = {}
    told: list[Field] = []
    for one in asked:
        alone = replace(spec, parameters=(one.spec,))
        given = {one.spec.name: from_text(one.spec.schema, _plain(one))} if one.text else {}
        try:
            values |= check_parameters(alone, given)
            told.append(one)
        except BadCall as error:
            told.append(replace(one, error=f"{error.what} {error.remedy}"))
    return values, told


def _plain(field: Field) -> str:
    if not field.is_number:
        return field.text
    text = field.text.translate(DIGITS)
    return text.replace(",", ".") if text.count(",") == 1 and "." not in text else text


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
