"""The entries of the record, each with the digest of the one before it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

__all__ = ["Entry", "Head"]


class Entry(models.Model):
    """One thing that was done. The database itself refuses to change or delete an entry."""

    number = models.PositiveBigIntegerField(primary_key=True)
    at = models.DateTimeField()
    who = models.CharField(max_length=254)
    what = models.CharField(max_length=60)
    about = models.CharField(max_length=200)
    facts = models.JSONField(default=dict)
    before = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)

    class Meta:
        ordering: ClassVar = ["number"]
        indexes: ClassVar = [models.Index(fields=["about"], name="what_was_done_to_it")]

    def __str__(self) -> str:
        return f"{self.number} {self.what} {self.about}"


class Head(models.Model):
    """Where the record ends: one row, which whoever writes an entry locks."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    number = models.PositiveBigIntegerField(default=0)
    digest = models.CharField(max_length=64, default="")

    def __str__(self) -> str:
        return f"after {self.number}"
