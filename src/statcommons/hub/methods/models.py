"""Methods as they are described, and the jobs that run them."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from statcommons.core.spec import MethodSpec

__all__ = ["Job", "StoredMethod"]


class StoredMethod(models.Model):
    """A version of a method by its description; a version that was stored never changes."""

    method = models.CharField(max_length=100)
    version = models.CharField(max_length=40)
    code = models.CharField(max_length=80)
    description = models.JSONField()
    stored = models.DateTimeField(default=timezone.now)
    is_current = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar = ["method", "-stored"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["method", "version", "code"], name="one_description_a_version"),
            models.UniqueConstraint(fields=["method"], condition=Q(is_current=True), name="one_current_version"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.version}"

    @property
    def spec(self) -> MethodSpec:
        """The description, as the rest of Stat Commons knows it."""
        return MethodSpec.from_dict(self.description)


class Job(models.Model):
    """A work that a worker does: it is claimed for a while, and who claims it last may end it.

    ``attempt`` is the fencing token: a worker that was thought dead and comes back has an older one, and changes
    nothing any more.
    """

    class Status(models.TextChoices):
        """The states of a job, as OGC API - Processes has them."""

        ACCEPTED = "accepted"
        RUNNING = "running"
        SUCCESSFUL = "successful"
        FAILED = "failed"
        DISMISSED = "dismissed"

    FINAL: ClassVar = (Status.SUCCESSFUL, Status.FAILED, Status.DISMISSED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    method = models.ForeignKey(StoredMethod, models.PROTECT, related_name="jobs")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="jobs")
    inputs = models.JSONField(default=dict)
    parameters = models.JSONField(default=dict)
    options = models.JSONField(default=dict)
    wall_seconds = models.PositiveIntegerField(default=3600)

    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACCEPTED)
    created = models.DateTimeField(default=timezone.now)
    due = models.DateTimeField(default=timezone.now)
    started = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)

    attempt = models.PositiveSmallIntegerField(default=0)
    worker = models.CharField(max_length=200, blank=True)
    lease_until = models.DateTimeField(null=True)
    cancel_requested = models.BooleanField(default=False)

    progress = models.FloatField(null=True)
    message = models.CharField(max_length=300, blank=True)
    run = models.CharField(max_length=100, blank=True)
    error = models.JSONField(null=True)

    class Meta:
        ordering: ClassVar = ["-created"]
        indexes: ClassVar = [models.Index(fields=["status", "due"], name="what_is_to_be_done")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status="successful") & ~Q(run="") | ~Q(status="successful") & Q(run=""),
                name="a_run_when_successful",
            )
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.status}"

    @property
    def run_id(self) -> str:
        """The id of the run that this attempt makes; no two attempts write to one place."""
        again = f"-{self.attempt}" if self.attempt > 1 else ""
        return f"{self.created:%Y-%m-%d}-{self.id.hex[:8]}{again}"
