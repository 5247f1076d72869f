"""Sluice: a release bot that lives in Slack. The map of the house, from the bottom up.

- `bot.domain`: what things are. Frozen dataclasses and pure functions; no await, no I/O, no clock.
- `bot.ports`: what we need from the world, one Protocol per file with its value types.
- `bot.engine`: how a run moves: one reconcile pass, one transaction; leases, ballots, the relay of messages.
- `runbooks` (a package beside this one): what a run does: YAML, planner, step and gate kinds.
- `commands` (beside it too): what people may ask: one grammar, one registry, one file per verb.
- `bot.store`, `bot.adapters`, `bot.slack`: the outer ring, each behind a port.
- `bot.app`: the only module that knows every class. `bot.opening` opens the real servers around it, `bot.serving` keeps
  it alive, `bot.cli` and `bot.__main__` start it; `bot.audit` proves the journal, `bot.evidence` takes a release's part
  out of it, `bot.doctor` looks whether all is set up.
- `bot.sandbox`: stand-ins for all of these servers, a page, a tour and the simulator. Nothing below knows of it.
"""
