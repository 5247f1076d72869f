"""What we read of Kubernetes objects. Unknown fields are ignored, absent and null ones have the API's own defaults."""

from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from bot.adapters.kubernetes_calls import Raw
from bot.domain.errors import UnreadableError


class ApiObject(BaseModel):
    """Any part of an API object."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, value: Any) -> Any:
        """Kubernetes API conventions: null and absent mean the same."""
        if isinstance(value, dict):
            return {key: item for key, item in value.items() if item is not None}
        return value


Model = TypeVar("Model", bound=ApiObject)


def read(model: type[Model], raw: Raw) -> Model:
    """Read one object. Raises UnreadableError with the field that is not what the API says."""
    try:
        return model.model_validate(raw)
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UnreadableError(
            f"the cluster sent a {model.__name__} whose {where or 'body'} is odd: {first['msg']}"
        ) from exc


class OwnerReference(ApiObject):
    """Who made an object; `controller` is set on the one that manages it."""

    kind: str
    name: str
    uid: str = ""
    controller: bool = False


class Metadata(ApiObject):
    """Every object's metadata."""

    name: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: tuple[OwnerReference, ...] = ()
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None

    @property
    def controller(self) -> OwnerReference | None:
        """The one owner that manages it."""
        return next((owner for owner in self.owner_references if owner.controller), None)


class Condition(ApiObject):
    """An entry of `status.conditions`; `status` is True, False or Unknown, as text."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None


def condition(conditions: tuple[Condition, ...], kind: str) -> Condition | None:
    """The condition of that type."""
    return next((one for one in conditions if one.type == kind), None)


class Requirement(ApiObject):
    """One `matchExpressions` entry of a label selector."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        match self.operator:
            case "Exists":
                return self.key
            case "DoesNotExist":
                return f"!{self.key}"
        return f"{self.key} {self.operator.lower()} ({','.join(self.values)})"

    def matches(self, labels: dict[str, str]) -> bool:
        """As the API server decides it: NotIn also holds for a label that is not there."""
        match self.operator:
            case "In":
                return labels.get(self.key) in self.values
            case "NotIn":
                return labels.get(self.key) not in self.values
            case "Exists":
                return self.key in labels
        return self.key not in labels


class Selector(ApiObject):
    """A label selector."""

    match_labels: dict[str, str] = {}
    match_expressions: tuple[Requirement, ...] = ()

    def __str__(self) -> str:
        return ",".join([*(f"{k}={v}" for k, v in self.match_labels.items()), *map(str, self.match_expressions)])

    def matches(self, labels: dict[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        equal = self.match_labels.items() <= labels.items()
        return equal and all(requirement.matches(labels) for requirement in self.match_expressions)


class JobStatus(ApiObject):
    """A Job now."""

    conditions: tuple[Condition, ...] = ()


class Job(ApiObject):
    """A Job."""

    metadata: Metadata = Metadata()
    status: JobStatus = JobStatus()


class InvolvedObject(ApiObject):
    """What an event is about."""

    kind: str = ""
    name: str = ""


class Series(ApiObject):
    """How often an event of the newer API came."""

    count: int = 1
    last_observed_time: datetime | None = None


class Event(ApiObject):
    """A core/v1 event; `lastTimestamp` is null for those written through the newer events API."""

    metadata: Metadata = Metadata()
    involved_object: InvolvedObject = InvolvedObject()
    reason: str = ""
    message: str = ""
    count: int = Field(default=1, ge=0)
    series: Series | None = None
    last_timestamp: datetime | None = None
    event_time: datetime | None = None

    @property
    def times(self) -> int:
        """How often it happened."""
        return self.series.count if self.series else self.count

    @property
    def at(self) -> datetime | None:
        """When it last happened."""
        seen = self.series.last_observed_time if self.series else None
        return seen or self.last_timestamp or self.event_time or self.metadata.creation_timestamp
