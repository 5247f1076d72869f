"""What we need from the world: one Protocol a file, with its value types. The arrow names the real adapter.

    clock           now, UTC                                              -> adapters/system_clock.py
    cluster         observe a workload, set its image, run a Job, logs    -> adapters/kubernetes_*.py
    image_registry  what a reference means, as a digest                   -> adapters/oci_registry.py
    probe           one HTTP request of a smoke test                      -> adapters/http_probe.py
    metrics         both arms' raw counters, scrape by scrape             -> adapters/prometheus.py, grafana.py
    chat            post, edit, find and read messages and reactions      -> slack/chat.py
    directory       who somebody is, and who is in a user group           -> slack/directory.py
    store           one transaction over runs, messages, locks, journal   -> store/
    execution       how the engine drives gates and steps                 -> runbooks/steps, runbooks/gates
    planning        a request becomes a plan                              -> runbooks/planning.py
    narrator        what changes of a run look like in the channel        -> slack/narrator.py

Every method that talks to the outside has a deadline of its own and raises only errors of `bot.domain.errors`.
"""
