"""The measured promises. `make bench` runs them beside the servers of `make test-real` and prints their figures.

- `ack`: how fast signed commands are acknowledged under load, beside a bare Bolt app.
- `deploy`: how long a deploy takes, beside `kubectl set image` and `kubectl rollout status`.
- `judge`: the canary judge on made-up canaries, beside the rules of others; how fast it judges a scrape.

Machines are noisy: quote medians and ratios within one run, never single times.
"""
