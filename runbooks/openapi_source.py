"""The key `openapi` of a service: where the OpenAPI document of each of its versions is."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from bot.domain.errors import UsageError
from bot.domain.repository import path_inside
from runbooks.parts import Part


def _inside(written: str) -> str:
    """A path inside the repository; raises ValueError."""
    try:
        return path_inside(written)
    except UsageError as exc:
        raise ValueError(str(exc).rstrip(".")) from exc


class OpenApi(Part):
    """Exactly one of three places. `attached`: the document is attached to the image in the registry. `file`: it is in
    the repository at the commit of the image, at this path. `label`: the image's label of this name holds that path."""

    attached: Literal[True] | None = None
    file: Annotated[str, AfterValidator(_inside)] | None = None
    label: str | None = Field(default=None, min_length=1, max_length=200)

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(place is not None for place in (self.attached, self.file, self.label)) != 1:
            raise ValueError("write exactly one of 'attached: true', 'file: api/openapi.yaml' and 'label: …'")
        return self
