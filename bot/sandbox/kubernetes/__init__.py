"""A Kubernetes cluster in memory: the API over loopback HTTP, and the controllers and nodes behind it.

server         the cluster: what the sandbox holds of it
requests       one answer for each request; `paths`, `lists`, `tables`, `discovery`, `watches` and `refusals` beside it
objects        what a write does; `defaults`, `patches`, `selectors` beside it
store          all objects, their versions and the recent history; `resources` are the kinds there are
timeline       when things happen
controllers    who looks at what; `deployments` (its arithmetic: `rolling`), `replica_sets`, `jobs`, `ordered_sets`,
               `budgets`, with `control` in their hands
kubelet        pods; `containers` are their lives, `behaviours` what goes wrong in them, `happenings` the Events
routing        who gets a Service's requests
panel          what a person sees at a glance
"""
