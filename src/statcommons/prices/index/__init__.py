"""Index numbers: from unit values to a series, by every formula of the handbooks."""
