"""What a reader may keep of answers about the structures of a store."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from statcommons.sdmx.query.data import Facts

if TYPE_CHECKING:
    from statcommons.sdmx.store import Store


def structure_facts(store: Store) -> Facts:
    """Give the facts of all structures together: they come and change as one file.

    Parameters
    ----------
    store : Store
        Where they are.
    """
    try:
        stat = (store.path / "structures.json").stat()
    except FileNotFoundError:
        return Facts("none", None, None)
    modified = datetime.datetime.fromtimestamp(stat.st_mtime, datetime.UTC).replace(tzinfo=None)
    return Facts(f"{stat.st_mtime_ns}-{stat.st_size}-{stat.st_ino}", modified, None)
