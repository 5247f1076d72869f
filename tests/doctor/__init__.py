"""The doctor, against the sandbox's stand-ins over loopback; each fault is provoked once."""
