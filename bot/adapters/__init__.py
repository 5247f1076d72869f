"""The real servers behind the ports of `bot.ports`: Kubernetes, OCI registries, HTTP probes, metrics servers
(`prometheus`, `grafana`, `datadog`, `newrelic`; `metric_*` is what any of them needs, `counting_metrics` what those
that keep no counters have in common, `pod_usage_metrics` adds what a cluster measures itself), the system clock."""
