"""The catalogue of a store: what is published of it, as DCAT, schema.org, feeds and a calendar of releases."""
