"""The sandbox and its stand-ins."""
