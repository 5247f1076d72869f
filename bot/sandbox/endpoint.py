"""A pod that gets requests: where the cluster's routing and the traffic meet."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One ready pod behind a service. `share` is its part of the service's requests, 0-1; those of all endpoints of a
    service add up to one. `image` is what its container runs, as written in the pod."""

    pod: str
    namespace: str
    image: str
    share: float
    labels: Mapping[str, str] = field(default_factory=dict)
