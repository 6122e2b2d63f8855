"""SDMX-ML structure messages, in and out."""

from statcommons.sdmx.structures.ml_reading import read_structures_ml
from statcommons.sdmx.structures.ml_writing import MLStandard, write_structures_ml

__all__ = ["MLStandard", "read_structures_ml", "write_structures_ml"]
