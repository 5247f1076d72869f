"""What a run does: `catalogue` and `spec` are the models of the YAML, `source` and `loader` read it with positions,
`signals` is what canaries are judged by (`languages` names who is asked how: `promql`, `datadog_query` and `nrql` write
the queries, `signal_presets` and `vendor_presets` know usual names), `planning` gathers facts, `planner` is pure,
`steps/` and `gates/` have one file a kind, `registry` lists them."""
