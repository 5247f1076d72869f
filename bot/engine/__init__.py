"""How a run moves: `worker` leases what is due, `reconciler` makes one pass, `inbox` handles what was heard, `relay`
delivers messages, `ballots` gathers what a decision needs, `runs` holds the verbs on a run."""
