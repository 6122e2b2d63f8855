"""The service that real clients use: SDMX REST 1.5 and 2.2 as one pure function from a request to a response."""
