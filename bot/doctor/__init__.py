"""What `sluice doctor` and `sluice rbac` do: look whether an installation is set up, and name each fault with its fix.

`finding` is what is found, `case` what is looked at, `examination` the areas side by side, `report` the words,
`consultation` the command. One module an area: `catalogue`, `database`, `slack` (with `voters` and the `manifest` of
the app), `cluster` (with `workloads`), `registry`, `metrics`, `ci`, `clocks` (with `skew`). `rights` is the one table
of what Sluice may do in a cluster, `roles` writes it down.

It changes nothing anywhere, and needs no process that serves. Only `bot.cli` loads it, when it is asked.
"""
