"""The real servers behind the ports of `bot.ports`: Kubernetes, OCI registries, HTTP probes, metrics servers
(`prometheus`, `grafana`; `metric_*` is what any of them needs), the system clock."""
