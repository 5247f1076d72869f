"""`registries:` of the catalogue: how to speak with a container registry."""

from typing import Annotated

from pydantic import Field

from runbooks.parts import Part

HOST = r"^[a-zA-Z0-9.-]+(:\d+)?$"


class RegistryEntry(Part):
    """How to speak with a registry. `insecure`: plain HTTP, for one on one's own machine. `mirror`: the host that is
    asked in its place, such as a pull-through cache; images keep their names."""

    insecure: bool = False
    mirror: Annotated[str, Field(pattern=HOST)] | None = None
