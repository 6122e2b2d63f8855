"""Making deliveries fit for an index: checks, products, classes, filters and imputation."""
