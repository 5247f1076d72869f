"""All tests; their folders mirror the source."""
