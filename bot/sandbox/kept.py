"""What the cluster runs, kept in the folder for the next start: image and annotations of each Deployment.

The annotations too, because the way back to what ran before is remembered in them. It is written whenever it changes,
so that even a sandbox that was killed goes on from there. A canary is not kept.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from bot import logs
from bot.domain.errors import SetupError
from bot.sandbox.kubernetes.server import KubernetesServer
from bot.sandbox.scenery import Manifest

CLUSTER = "cluster.json"
CONTROLLERS_OWN = "deployment.kubernetes.io/"
DEPLOYMENT = ("apps/v1", "Deployment")

log = logs.get(__name__)


class Kept:
    """The Deployments of a folder. Raises SetupError where what was kept cannot be read."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / CLUSTER
        try:
            self._written = self._path.read_text(encoding="utf-8") if self._path.exists() else "{}"
            self._before: dict[str, dict[str, Any]] = dict(json.loads(self._written))
        except (ValueError, TypeError) as exc:
            raise SetupError(f"{self._path} cannot be read ({exc}); choose an empty --folder") from exc

    def as_it_was(self, manifests: Sequence[tuple[str, Manifest]]) -> Sequence[tuple[str, Manifest]]:
        """The manifests, with the Deployments as they were when the sandbox ended."""
        for namespace, manifest in manifests:
            before = self._before.get(f"{namespace}/{manifest['metadata']['name']}")
            if before and manifest["kind"] == DEPLOYMENT[1]:
                manifest["metadata"]["annotations"] = before["annotations"]
                manifest["spec"]["template"]["spec"]["containers"][0]["image"] = before["image"]
        return manifests

    def follow(self, cluster: KubernetesServer, names: Sequence[tuple[str, str]]) -> None:
        """From now on write down what these Deployments (namespace and name) run."""

        def note(_at: datetime) -> None:
            found = {f"{namespace}/{name}": _shown(cluster, namespace, name) for namespace, name in names}
            text = json.dumps(found, indent=2)
            if text != self._written:
                try:
                    self._write(text)
                except OSError as exc:  # the cluster goes on; it is tried again at the next change
                    log.warning("what the cluster runs is not kept for the next start", error=str(exc))

        cluster.listen(note)

    def _write(self, text: str) -> None:
        half = self._path.with_suffix(".half")  # never seen under its own name, whenever the sandbox is killed
        half.write_text(text, encoding="utf-8")
        half.replace(self._path)
        self._written = text


def _shown(cluster: KubernetesServer, namespace: str, name: str) -> dict[str, Any]:
    raw = cluster.found(DEPLOYMENT, namespace, name)
    annotations = raw["metadata"].get("annotations") or {}
    return {
        "image": raw["spec"]["template"]["spec"]["containers"][0]["image"],
        "annotations": {key: said for key, said in annotations.items() if not key.startswith(CONTROLLERS_OWN)},
    }
