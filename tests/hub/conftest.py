"""A hub to test: each test runs on SQLite and on PostgreSQL, in a workspace of its own."""

from __future__ import annotations

import os

import pytest
from hub_places import PROGRAMS, Places, server

from statcommons.core.workspace import workspace


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def places(request, tmp_path_factory):
    """Give where hubs are made, on each database in turn."""
    folder = tmp_path_factory.mktemp("hubs")
    if request.param == "sqlite":
        yield Places(folder)
        return
    if not PROGRAMS:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no PostgreSQL: install postgresql")
    with server() as socket:
        yield Places(folder, socket)


@pytest.fixture
def hub(places, tmp_path):
    """Give the workspace of a hub, ready and empty."""
    with places.fresh(tmp_path / "workspace") as home:
        yield workspace(home)
