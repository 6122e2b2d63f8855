"""The web platform: people, a catalogue of data, and a service that runs methods, on one small server.

It is a Django project of one app a concern. An app keeps what it knows in ``models.py``; what it does stands in modules
of functions, so that a view, a command and a worker do the same by the same name.
"""
