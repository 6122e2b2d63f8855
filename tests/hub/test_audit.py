"""The record: all that is done stands in it, nobody may change it, and what was changed all the same is found."""

import threading
from datetime import timedelta

import pytest
from click.testing import CliRunner
from django.db import DatabaseError, connection, transaction
from django.db.models import F

from statcommons.cli.main import cli
from statcommons.core.errors import BadData
from statcommons.hub.audit.models import Entry, Head
from statcommons.hub.audit.record import assert_whole, record
from statcommons.hub.methods import queue
from statcommons.hub.methods.shelf import find
from statcommons.hub.people.models import Person


def told(about):
    return list(Entry.objects.filter(about=about).values_list("what", "who"))


def test_what_happens_to_a_job_stands_in_the_record(hub):
    amina = Person.objects.create_user("amina@stat.example")
    method = find("prices.unit_values")
    done, gone, stopped = (queue.submit(method, {"transactions": ["a.csv"]}, {}, owner=amina) for _ in range(3))
    queue.succeed(queue.claim("w"), "a-run")
    queue.cancel(gone.pk, who=amina)
    held = queue.claim("w")
    queue.cancel(stopped.pk, who=amina)
    queue.cancel(stopped.pk, who=amina)  # asked for once
    queue.dismiss(held)
    who = f"person:{amina.pk}"
    assert told(f"job:{done.pk}") == [
        ("job.submitted", who),
        ("job.started", "worker:w"),
        ("job.successful", "worker:w"),
    ]
    assert told(f"job:{gone.pk}") == [("job.submitted", who), ("job.dismissed", who)]
    assert told(f"job:{stopped.pk}") == [
        ("job.submitted", who),
        ("job.started", "worker:w"),
        ("job.cancel-requested", who),
        ("job.dismissed", "worker:w"),
    ]
    assert Entry.objects.filter(what="method.stored", about="method:prices.unit_values", who="hub").exists()
    assert assert_whole()[0] == Entry.objects.count()


def test_what_did_not_happen_is_not_told(hub):
    before = Entry.objects.count()
    with transaction.atomic():
        record("a", "b")
        transaction.set_rollback(True)
    assert Entry.objects.count() == before
    record("a", "b")
    assert assert_whole()[0] == before + 1


@pytest.mark.parametrize("change", [lambda one: one.update(who="nobody"), lambda one: one.delete()])
def test_the_database_refuses_to_change_an_entry(hub, change):
    record("a", "b")
    with pytest.raises(DatabaseError, match="only added to"), transaction.atomic():
        change(Entry.objects.filter(about="b"))
    assert assert_whole()[0] == Entry.objects.count()


def unguarded():
    """Take the guard away, as who owns the database could."""
    names = ["audit_no_UPDATE", "audit_no_DELETE"]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name in names:
                cursor.execute(f"DROP TRIGGER {name}")
        else:
            cursor.execute("DROP TRIGGER audit_only_add ON audit_entry")


def at(number):
    return Entry.objects.filter(number=number)


CHANGES = {
    "who": lambda n: at(n).update(who="nobody"),
    "what": lambda n: at(n).update(what="else"),
    "about": lambda n: at(n).update(about="else"),
    "facts": lambda n: at(n).update(facts={"n": 8}),
    "at": lambda n: at(n).update(at=F("at") + timedelta(microseconds=1)),
    "before": lambda n: at(n).update(before="0" * 64),
    "digest": lambda n: at(n).update(digest="0" * 64),
    "dropped": lambda n: at(n).delete(),
}


@pytest.mark.parametrize("where", [0, 1, 2])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_one_change_anywhere_is_found_and_its_place_is_told(hub, change, where):
    first = Entry.objects.count() + 1
    for number in range(3):
        record("thing.done", "thing:1", n=number)
    unguarded()
    change(first + where)
    with pytest.raises(BadData, match=f"The entry {first + where:,} "):
        assert_whole()


def test_an_entry_that_was_added_beside_the_record_is_found(hub):
    last = Entry.objects.order_by("number").last()
    Entry.objects.create(
        number=last.number + 1, at=last.at, who="x", what="x", about="x", before=last.digest, digest="x"
    )
    with pytest.raises(BadData, match="is not what was written"):
        assert_whole()


def test_an_end_that_was_cut_off_is_found(hub):
    record("a", "b")
    unguarded()
    Entry.objects.filter(about="b").delete()
    with pytest.raises(BadData, match="is missing"):
        assert_whole()


def test_many_writers_make_one_chain(hub):
    before = Head.objects.get().number

    def write():
        for number in range(10):
            record("a", f"b{number}")
        connection.close()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert assert_whole()[0] == before + 40


def test_the_command_says_whether_the_record_is_whole(hub):
    done = CliRunner().invoke(cli, ["audit", "--workspace", str(hub.path)])
    number, digest = assert_whole()
    assert done.output.splitlines() == [f"{number:,} entries, each as it was written.", digest]
    unguarded()
    at(1).update(who="nobody")
    with pytest.raises(BadData, match="entry 1 is not what was written"):
        CliRunner().invoke(cli, ["audit", "--workspace", str(hub.path)], catch_exceptions=False)
