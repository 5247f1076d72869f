"""Runbooks as text, to be bent by the tests."""

from textwrap import dedent

from runbooks.loader import read_runbook
from runbooks.source import read
from runbooks.spec import Runbook

RUNBOOK = dedent(
    """\
    name: careful
    about: >
      Migrate,
      then release.
    gates: [image]
    steps:
      - approval
      - job: {name: migrate, run: [up, "${artifact.ref}"], deadline: 10m}
      - set_image
      - rollout: {ready_within: 1m}
      - smoke
      - wait: 5m
      - smoke: {attempts: 5}
      - notify: "schema ${steps.migrate.outputs.revision} in ${environment}"
    on_failure:
      - restore
      - smoke
    """
)


def a_runbook(text: str = RUNBOOK) -> Runbook:
    """The runbook in a text."""
    return read_runbook(read(text.encode(), "r.yaml"))


def with_steps(*steps: str, on_failure: tuple[str, ...] = ()) -> str:
    """The text of a runbook of these steps; the first stands in line 4."""
    lines = ["name: small", "about: Small.", "steps:", *(f"  - {step}" for step in steps)]
    return "\n".join([*lines, *(["on_failure:"] if on_failure else []), *(f"  - {step}" for step in on_failure)])
