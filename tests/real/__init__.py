"""Real servers, named by environment variables."""
