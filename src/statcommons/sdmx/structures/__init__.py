"""Structures of SDMX: messages read and written, and the registry that answers queries of them."""
