"""Who may do what: persons, organisations, and the part that a person has in one."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

__all__ = ["Membership", "Organisation", "Person", "Token"]


class People(BaseUserManager["Person"]):
    """How persons are made."""

    def create_user(self, email: str, password: str | None = None, **facts: Any) -> Person:
        """Make a person; without a password, nobody can sign in by one."""
        person = self.model(email=self.normalize_email(email), **facts)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def create_superuser(self, email: str, password: str | None = None, **facts: Any) -> Person:
        """Make an administrator of the hub."""
        return self.create_user(email, password, is_superuser=True, **facts)


class Person(AbstractBaseUser, PermissionsMixin):
    """A person, who signs in by an e-mail address."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=10, blank=True)
    is_active = models.BooleanField(default=True)
    joined = models.DateTimeField(default=timezone.now)

    objects: ClassVar[People] = People()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(Lower("email"), name="one_person_an_address")]

    def __str__(self) -> str:
        return self.name or self.email


class Organisation(models.Model):
    """An office, agency, university, company or association; names are kept by language."""

    class Kind(models.TextChoices):
        """What an organisation is."""

        OFFICE = "office"
        AGENCY = "agency"
        ACADEMIA = "academia"
        COMPANY = "company"
        SOCIETY = "society"

    id = models.SlugField(primary_key=True, max_length=50)
    name = models.JSONField(default=dict)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    country = models.CharField(max_length=2, blank=True)
    members: models.ManyToManyField[Person, Membership] = models.ManyToManyField(
        Person, through="Membership", related_name="organisations"
    )

    def __str__(self) -> str:
        return str(self.id)


class Membership(models.Model):
    """The part that a person has in an organisation."""

    class Role(models.TextChoices):
        """What a member does; each may do what those before may."""

        MEMBER = "member"
        STATISTICIAN = "statistician"
        DEVELOPER = "developer"
        ADMINISTRATOR = "administrator"

    person = models.ForeignKey(Person, models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=15, choices=Role.choices, default=Role.MEMBER)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "organisation"], name="one_membership_an_organisation")
        ]

    def __str__(self) -> str:
        return f"{self.person}, {self.role} of {self.organisation}"


class Token(models.Model):
    """What a program shows in place of a person: the digest of a secret that is shown once."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField()
    used = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-created"]

    def __str__(self) -> str:
        return f"{self.name} of {self.person}"
