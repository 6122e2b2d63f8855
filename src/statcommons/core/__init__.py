"""The mechanism of Stat Commons, and nothing statistical: schemas, methods, engines, runs."""
