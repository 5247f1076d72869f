"""One file a step kind, its spec above its executor."""
