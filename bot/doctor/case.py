"""What is examined: one installation, as its environment and its catalogue describe it."""

from dataclasses import dataclass

from bot.adapters.kubernetes_login import Connection
from bot.domain.target import Target
from bot.ports.clock import Clock
from bot.settings import Settings
from runbooks.catalogue import Catalogue
from runbooks.configuration import Configuration


@dataclass(frozen=True, slots=True)
class Case:
    """`configuration` is `None` where it has a fault: then only what needs no catalogue can be looked at. `clock` is
    this machine's."""

    settings: Settings
    configuration: Configuration | None
    clock: Clock

    @property
    def the_configuration(self) -> Configuration:
        """Of an area that is only looked at where there is one."""
        if self.configuration is None:
            raise RuntimeError("nobody can look at this without a catalogue")
        return self.configuration

    @property
    def the_catalogue(self) -> Catalogue:
        """The same, its catalogue."""
        return self.the_configuration.catalogue


def targets(configuration: Configuration) -> tuple[Target, ...]:
    """Every service in every environment."""
    catalogue = configuration.catalogue
    return tuple(Target(service, place) for service in catalogue.services for place in catalogue.environments)


def connections(configuration: Configuration) -> dict[str, Connection]:
    """How to reach each cluster, by name."""
    entries = configuration.catalogue.clusters
    return {name: Connection(each.kubeconfig, each.context) for name, each in entries.items()}
