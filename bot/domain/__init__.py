"""What things are.

`target` and `image` say what is released and where; `invocation` what somebody asked; `plan` what will happen and its
seal; `run`, `step_run` and `phase` how far it is; `approval` who may let it happen; `outcome` what one pass learnt;
`judge` whether a canary is worse than its baseline; `events` what happened; `release` what a target ran; `journal` the
audit chain; `errors` what can go wrong.
"""
