"""The observation store: a folder that keeps every flow with all that was ever published of it.

Readers need no lock and never wait; there is one writer at a time. What is published never changes and is never lost.
"""

from statcommons.sdmx.store.change import Loaded
from statcommons.sdmx.store.select import Selection
from statcommons.sdmx.store.store import Store

__all__ = ["Loaded", "Selection", "Store"]
