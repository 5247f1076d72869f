"""Is the canary worse than the baseline? Decided anew at every scrape, with a bound that holds over all looks together.

`settings` says what is compared and how sure one wants to be; `samples` what pods show and what happened between two
scrapes; `blocks` gathers it until there is something to test. `counts` is the exact test of one block, `mixture` adds
blocks up to an e-process, `dispersion` learns from the baseline's own pods what is usual among pods, and `tolls` what
bets would win against them. The signals are built of these: `errors` (bad ones out of all: errors, failed jobs),
`latency` (a histogram; `latency_bets` foretells from the `latency_curve` of the baseline what a slowdown would do to
it) and `gauges` (a level for each pod: CPU, queue lag); `noninferiority` holds the tests the other way round, which
promotion asks for. `judge` joins them, `verdict` is what it says, `explain` puts that into a line for people, `guards`
are the absolute limits beside it.

Evidence is an e-process: it starts at 1, and while the canary is within tolerance its expected value is at most 1 at
every stopping time; so it ever reaches 1/alpha with probability at most alpha (Ville), however often one looks.
Sequences of tests by betting: Shafer 2021; Ramdas, Grünwald, Vovk and Shafer 2023, "Game-theoretic statistics and
safe anytime-valid inference". Presets were found by simulation (`benchmarks/judge`).
"""
