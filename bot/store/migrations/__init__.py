"""Alembic: one revision a change of the tables; each is tested on rows of the revision before."""
