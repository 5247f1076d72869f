"""Runs a command beside real servers: `python -m tests.real.rig COMMAND...`.

Where RIG names the program that brings servers to this machine, instances of our own are started, named to the command
by environment variables, and stopped again. Elsewhere the variables must be set already (see docs/development.md).
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

SERVICES = ("kubernetes", "slack", "registry", "github", "postgres")
MEASURED = ("traffic", "prometheus")
"""Started only where PROMETHEUS_URL names no server yet; the second one scrapes the first."""

EXPORT = re.compile(r"^export (\w+)='(.*)'$", re.MULTILINE)
WANTED = ("KUBECONFIG", "TEST_REGISTRY", "SLACK_API_URL", "SLACK_BOT_TOKEN", "RIG_SLACK_URL", "PROMETHEUS_URL")
WANTED += ("RIG_TRAFFIC_URL", "GITHUB_API_URL", "GITHUB_TOKEN", "GITHUB_REPOSITORY", "DATABASE_URL")


def main(command: list[str]) -> int:
    """Start what is needed, run the command, stop what was started; the command's exit status."""
    rig = Path(os.environ.get("RIG", "")).expanduser()
    if not rig.is_file():
        missing = [name for name in WANTED if not os.environ.get(name)]
        if missing:
            sys.stderr.write(f"no rig at '{rig}', and these are not set: {', '.join(missing)}\n")
            return 2
        return subprocess.run(command, check=False).returncode
    instance = f"sluice-{os.getpid()}"
    signal.signal(signal.SIGTERM, _leave)  # what was started is stopped then, too
    services = SERVICES if os.environ.get("PROMETHEUS_URL") else (*SERVICES, *MEASURED)
    try:
        environment = dict(os.environ)
        for service in services:
            environment |= up(rig, service, instance, *options(service, environment))
        environment["TEST_REGISTRY"] = environment.get("RIG_REGISTRY", "")
        return subprocess.run(command, env=environment, check=False).returncode
    finally:
        for service in services:
            subprocess.run([rig, service, "down", "--instance", instance], check=False)


def options(service: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    """What a service needs to know of those before it; with TRAFFIC_FOLLOWS_PODS requests go to the cluster's pods."""
    if service == "traffic" and environment.get("TRAFFIC_FOLLOWS_PODS"):
        return ("--kubernetes", f"sluice-{os.getpid()}")
    if service != "prometheus":
        return ()
    return ("--target", environment["RIG_TRAFFIC_TARGET"], "--interval", "1s")


def _leave(number: int, _frame: object) -> None:
    sys.exit(128 + number)


def up(rig: Path, service: str, instance: str, *more: str) -> dict[str, str]:
    """Start one service; what it exports."""
    command = [rig, service, "up", "--instance", instance, *more]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return dict(EXPORT.findall(done.stdout))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
