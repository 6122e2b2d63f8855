"""SDMX-ML structure messages, in and out."""

from statcommons.sdmx.structures.ml_reading import read_structures_ml
from statcommons.sdmx.structures.ml_writing import write_structures_ml

__all__ = ["read_structures_ml", "write_structures_ml"]
