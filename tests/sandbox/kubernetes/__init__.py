"""The sandbox's cluster."""
