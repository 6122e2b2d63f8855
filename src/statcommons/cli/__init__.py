"""The command line: the same names, words and errors as in Python."""
