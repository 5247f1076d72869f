"""What a run does: `catalogue` and `spec` are the models of the YAML, `source` and `loader` read it with positions,
`planning` gathers facts, `planner` is pure, `steps/` and `gates/` have one file a kind, `registry` lists them."""
