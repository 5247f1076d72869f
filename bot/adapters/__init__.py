"""The real servers behind the ports of `bot.ports`: Kubernetes, OCI registries, HTTP probes, the system clock."""
