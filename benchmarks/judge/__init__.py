"""The canary judge on made-up canaries: is it right, how soon, and how fast.

`streams` makes recordings up, `replay` runs the product's judge on one, `peers` the rules of others, `table` compares
them, `promise` counts false rollbacks kind by kind, `speed` measures a scrape, `recorded` writes the verdicts of a
reference down for the tests, `command` is `python -m benchmarks judge`. What came out is in `RESULTS.md`.
"""
