"""Commands of a hub: init, serve, worker, createadmin, audit."""

from __future__ import annotations

import signal
from typing import Any

import click

from statcommons.core.errors import BadCall

WORKSPACE = click.option("--workspace", metavar="DIR", help="The workspace; default ./workspace.")


@click.command()
@WORKSPACE
def init(workspace: str | None) -> None:
    """Make a workspace ready for a hub: its key, its database, and the methods that are installed."""
    from statcommons.hub.opening import prepared

    home = prepared(workspace)
    click.echo(f"{home.path.absolute()} is ready. Next: statcommons createadmin, statcommons worker.", err=True)


@click.command()
@WORKSPACE
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at; 0.0.0.0 is all.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65_535), help="0 takes a free one.")
def serve(workspace: str | None, host: str, port: int) -> None:
    """Serve a hub, with one worker beside it, until stopped; an empty workspace is made ready first."""
    from statcommons.hub.opening import prepared
    from statcommons.hub.serving import serve as run

    run(prepared(workspace), host=host, port=port)


@click.command()
@WORKSPACE
def worker(workspace: str | None) -> None:
    """Run the jobs of a hub, one at a time, until stopped; Ctrl-C once lets the present job end."""
    from statcommons.hub.opening import prepared

    home = prepared(workspace)
    from statcommons.hub.methods.worker import Worker

    one = Worker(home)

    def stop(number: int, frame: Any) -> None:
        if one.stopping.is_set():
            raise KeyboardInterrupt
        one.stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    click.echo(f"The worker {one.name} waits for jobs of {home.path.absolute()}.", err=True)
    one.run()


@click.command()
@click.argument("email")
@WORKSPACE
@click.password_option("--password", help="Asked for where it is not given.")
def createadmin(email: str, workspace: str | None, password: str) -> None:
    """Make an administrator of a hub, who signs in by an e-mail address."""
    from statcommons.hub.opening import prepared

    prepared(workspace)
    from allauth.account.models import EmailAddress
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError
    from django.core.validators import validate_email
    from django.db import transaction

    from statcommons.hub.audit.record import record
    from statcommons.hub.people.models import Person

    try:
        validate_email(email)
        validate_password(password, Person(email=email))
    except ValidationError as error:
        raise BadCall(" ".join(error.messages), remedy="Give an e-mail address and a long password.") from None
    if Person.objects.filter(email__iexact=email).exists():
        raise BadCall(f"{email} is there already.", remedy="Give another address.")
    with transaction.atomic():
        person = Person.objects.create_superuser(email, password)
        # Who may call this command needs no mail to show whose the address is.
        EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
        record("person.made-administrator", f"person:{person.pk}", who="command")
    click.echo(f"{email} may sign in and administer the hub.", err=True)


@click.command()
@WORKSPACE
def audit(workspace: str | None) -> None:
    """Find out whether the record of a hub is whole: exit code 65, and the first entry that is not, where it is not.

    The last line is the digest of the last entry; kept elsewhere, it shows later that nothing before it was changed.
    """
    from statcommons.hub.opening import opened

    opened(workspace)
    from statcommons.hub.audit.record import assert_whole

    number, digest = assert_whole()
    click.echo(f"{number:,} entries, each as it was written.", err=True)
    click.echo(digest)
