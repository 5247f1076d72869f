"""One file a verb: what it reads from a line, and what it does."""
