"""The shelf of methods: what is installed is stored by its description, so that no page has to import it."""

from __future__ import annotations

from django.db import transaction

from statcommons.core import registry
from statcommons.core.errors import BadCall, nearest
from statcommons.core.method import code_digest
from statcommons.hub.audit.record import record
from statcommons.hub.methods.models import StoredMethod

__all__ = ["find", "stock"]


def stock() -> int:
    """Store the methods that are installed; gives how many are new or have changed.

    The current version of a method is the one that is installed; one that is not installed any more has none.
    """
    fresh = 0
    installed = {id: entry.load() for id, entry in registry.methods().items()}
    with transaction.atomic():
        StoredMethod.objects.exclude(method__in=installed).update(is_current=False)
        for id, method in installed.items():
            facts = {"method": id, "version": method.spec.version, "code": code_digest(method.function)}
            known = StoredMethod.objects.filter(**facts).first()
            if known and known.is_current:
                continue
            StoredMethod.objects.filter(method=id).update(is_current=False)
            if known:
                known.is_current = True
                known.save(update_fields=["is_current"])
            else:
                StoredMethod.objects.create(**facts, description=method.spec.as_dict())
            record("method.stored", f"method:{id}", version=method.spec.version, code=facts["code"])
            fresh += 1
    return fresh


def find(method: str) -> StoredMethod:
    """Give the current version of a method.

    Parameters
    ----------
    method : str
        Its id.

    Raises
    ------
    BadCall
        When there is none; the nearest is named.
    """
    found = StoredMethod.objects.filter(method=method, is_current=True).first()
    if found is None:
        known = list(StoredMethod.objects.filter(is_current=True).values_list("method", flat=True))
        raise BadCall(f"There is no method {method!r}.", remedy=nearest(method, known))
    return found
