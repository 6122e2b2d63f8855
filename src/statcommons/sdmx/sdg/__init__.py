"""Reporting on the Sustainable Development Goals."""
