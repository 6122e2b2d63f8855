"""What a query asks for: keys, filters of components and versions, parsed from SDMX REST 1.5 and 2.x."""
