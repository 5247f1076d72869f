"""The canary judge."""
