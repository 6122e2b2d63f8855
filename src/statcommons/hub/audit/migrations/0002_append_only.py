"""Let the database itself refuse to change or delete an entry of the record."""

from typing import Any

from django.db import migrations

SQLITE = [
    f"CREATE TRIGGER audit_no_{verb} BEFORE {verb} ON audit_entry "
    "BEGIN SELECT RAISE(ABORT, 'the record is only added to'); END"
    for verb in ("UPDATE", "DELETE")
]
POSTGRESQL = [
    "CREATE FUNCTION audit_refuse() RETURNS trigger AS "
    "$$ BEGIN RAISE EXCEPTION 'the record is only added to' USING ERRCODE = 'check_violation'; END $$ LANGUAGE plpgsql",
    "CREATE TRIGGER audit_only_add BEFORE UPDATE OR DELETE ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE TRIGGER audit_keep_all BEFORE TRUNCATE ON audit_entry EXECUTE FUNCTION audit_refuse()",
]


def guard(apps: Any, editor: Any) -> None:
    for words in SQLITE if editor.connection.vendor == "sqlite" else POSTGRESQL:
        editor.execute(words)


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [migrations.RunPython(guard)]
