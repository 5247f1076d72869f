"""What a run does: `catalogue` and `spec` are the models of the YAML, `source` and `loader` read it with positions,
`signals` is what canaries are judged by (`promql` its queries, `signal_presets` their usual names), `planning` gathers
facts, `planner` is pure, `steps/` and `gates/` have one file a kind, `registry` lists them."""
