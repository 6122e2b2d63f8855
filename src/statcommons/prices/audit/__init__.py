"""Index numbers explained and judged: what each product contributes, and how sound an index is."""
