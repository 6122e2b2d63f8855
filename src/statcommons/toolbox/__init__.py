"""Statistical tools that more than one domain uses; pure functions."""
