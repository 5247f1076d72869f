"""The measured promises. `make bench` runs them beside the servers of `make test-real` and prints their figures.

- `ack`: how fast signed commands are acknowledged under load, beside a bare Bolt app.
- `deploy`: how long a deploy takes, beside `kubectl set image` and `kubectl rollout status`.

Machines are noisy: quote medians and ratios within one run, never single times.
"""
