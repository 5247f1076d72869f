"""One smoke check as the catalogue and runbooks write it: `{get: URL, expect: {status: 200, json: {items:
present}}}`.
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from bot.domain.json import Json
from bot.ports.probe import ProbeAnswer, ProbeRequest
from runbooks.kinds import StepSpec

PRESENT: Literal["present"] = "present"


class Expect(StepSpec):
    """What the answer must be. `json_`: dotted path -> value, or the word `present`."""

    status: int = Field(default=200, ge=100, le=599, description="The status of the answer.")
    json_: dict[str, Json] = Field(
        default_factory=dict,
        alias="json",
        description="Dotted paths into the JSON of the answer, and the value of each, or `present`.",
    )


class SmokeCheck(StepSpec):
    """One request: exactly one of `get` and `post` holds its URL, in which `{environment}` and `{service}` stand for
    the target's names. `body` is sent as JSON."""

    get: str | None = Field(
        default=None,
        description="A URL; `{environment}` and `{service}` stand for the target's names.",
    )
    post: str | None = Field(default=None, description="The same, to be posted to; exactly one of both.")
    headers: dict[str, str] = Field(default_factory=dict, description="Headers of the request.")
    body: Json = None
    expect: Expect = Field(default_factory=Expect, description="What the answer must be.")

    @model_validator(mode="after")
    def _one_url(self) -> Self:
        if (self.get is None) == (self.post is None):
            raise ValueError("a smoke check needs exactly one of 'get' and 'post'")
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"'{self.url}' is not an http or https URL")
        return self

    @property
    def url(self) -> str:
        """The URL as written."""
        return self.get or self.post or ""

    def placed(self, *, service: str, environment: str) -> "SmokeCheck":
        """The check for one target: names filled in. Other braces stay as they are."""

        def fill(url: str | None) -> str | None:
            return url and url.replace("{environment}", environment).replace("{service}", service)

        return self.model_copy(update={"get": fill(self.get), "post": fill(self.post)})

    def request(self) -> ProbeRequest:
        """What to send."""
        return ProbeRequest(self.url, "POST" if self.post else "GET", self.headers, self.body)

    def complaint(self, answer: ProbeAnswer) -> str | None:
        """What is wrong with the answer, as a clause; `None` when nothing is."""
        if answer.status != self.expect.status:
            return f"answered {answer.status}, expected {self.expect.status}"
        for path, wanted in self.expect.json_.items():
            found, there = _at(answer.json, path)
            if not there:
                return f"the answer has no '{path}'"
            if wanted not in (PRESENT, found):
                return f"'{path}' is {found!r}, expected {wanted!r}"
        return None


def _at(value: Json, path: str) -> tuple[Json, bool]:
    for part in path.split("."):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None, False
    return value, True
