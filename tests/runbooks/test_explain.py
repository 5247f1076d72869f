"""A runbook read aloud."""

from inline_snapshot import snapshot

from runbooks.explain import diagram, explain, read_aloud
from tests.runbooks.runbook_files import a_runbook, with_steps


def test_a_runbook_reads_like_a_page() -> None:
    """Title, purpose, gates, numbered steps, what failure does, and the diagram."""
    assert explain(a_runbook()) == snapshot("""\
# careful

Migrate, then release.

## Before anything happens

All of these must pass; they are asked side by side.

- **image**: The image must be in the registry, by digest, and be built from the commit that was asked for.

## Steps

1. **approval**: Ask the environment's approvers; go on when enough of them reacted with yes and none with no.
2. **migrate**: Run `up ${artifact.ref}` once in a Job with the new image, and wait until it has finished. At most 10m.
3. **set_image**: Tell the workload to run the artifact, by digest.
4. **rollout**: Follow the rollout until every pod runs the artifact and is available; fail as soon as it is hopeless.
5. **smoke**: Send the service’s smoke checks; all must answer as expected, within 3 attempts.
6. **wait**: Wait 5m.
7. **smoke-2**: Send the service’s smoke checks; all must answer as expected, within 5 attempts.
8. **notify**: Tell the service’s channel: “schema ${steps.migrate.outputs.revision} in ${environment}”

## If a step fails

If nothing was changed yet, the run just ends. Otherwise, without asking anybody again:

1. **restore**: Bring back the version that ran before, and follow it until every pod is available.
2. **smoke**: Send the service’s smoke checks; all must answer as expected, within 3 attempts.

## Diagram

```mermaid
flowchart TD
  asked([asked for])
  gates{"image"}
  asked --> gates
  gates -- one fails --> refused([refused])
  s1["approval"]
  gates --> s1
  s2["migrate"]
  s1 --> s2
  s3["set_image"]
  s2 --> s3
  s4["rollout"]
  s3 --> s4
  s5["smoke"]
  s4 --> s5
  s6["wait"]
  s5 --> s6
  s7["smoke-2"]
  s6 --> s7
  s8["notify"]
  s7 --> s8
  s8 --> succeeded([succeeded])
  s2 -. fails .-> f1
  s3 -. fails .-> f1
  s4 -. fails .-> f1
  s5 -. fails .-> f1
  s6 -. fails .-> f1
  s7 -. fails .-> f1
  s8 -. fails .-> f1
  f1["restore"]
  f2["smoke"]
  f1 --> f2
  f2 --> ended([restored])
```
""")


def test_a_diagram_without_changes_has_no_way_back() -> None:
    """Where nothing changes, nothing is undone."""
    assert diagram(a_runbook(with_steps("approval", "wait: 5m", on_failure=("restore",)))) == snapshot("""\
flowchart TD
  asked([asked for])
  s1["approval"]
  asked --> s1
  s2["wait"]
  s1 --> s2
  s2 --> succeeded([succeeded])\
""")


def test_failure_without_restore_is_told_plainly() -> None:
    """Nobody shall believe that the old version comes back."""
    page = explain(a_runbook(with_steps("set_image", on_failure=("notify: it broke",))))
    assert "The previous version is **not** brought back." in page
    assert "f1 --> ended([failed])" in page


def test_nothing_on_failure_is_told_plainly() -> None:
    """Silence about failure would be read as safety."""
    assert "Nothing is undone: what was changed stays as it is" in explain(a_runbook(with_steps("set_image")))


def test_an_old_plan_may_hold_a_kind_that_is_gone() -> None:
    """It is named as unknown instead of being guessed."""
    assert read_aloud("teleport", {}) == "`teleport`, which this version of Sluice does not know."
