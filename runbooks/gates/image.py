"""image: the reference means a digest in the registry, for the platforms of the cluster, built from the named
commit.
"""

from datetime import timedelta

from bot.domain.image import COMMIT, ImageRef, is_mutable, short
from bot.domain.outcome import Failed, Outcome, Succeeded
from bot.ports.execution import StepContext
from bot.ports.image_registry import ImageRegistry, ResolvedImage
from runbooks.kinds import GateKind, StepSpec


class ImageSpec(StepSpec):
    """`platforms`: `os/architecture` that the image must offer; none: whatever it offers is taken."""

    platforms: tuple[str, ...] = ()

    def read_aloud(self) -> str:
        wanted = f" for {', '.join(self.platforms)}" if self.platforms else ""
        return f"The image must be in the registry{wanted}, by digest, and be built from the commit that was asked for."


KIND = GateKind(
    name="image",
    spec=ImageSpec,
    deadline=timedelta(minutes=10),
    about="The reference resolves to a digest in the registry; names that everybody moves are refused.",
)


class ImageGate:
    """Asks the registry anew, by digest: an image that was deleted after planning does not pass."""

    def __init__(self, registry: ImageRegistry) -> None:
        self._registry = registry

    async def reconcile(self, context: StepContext) -> Outcome:
        spec, artifact = ImageSpec.model_validate(context.params), context.plan.artifact
        if is_mutable(artifact.ref):
            return Failed(f"`{artifact.ref}` is a name that everybody moves; release a version, a commit or a digest")
        repository = ImageRef.parse(artifact.image).repository
        found = await self._registry.resolve(repository, artifact.digest)
        missing = [platform for platform in spec.platforms if platform not in found.platforms]
        if missing:
            return Failed(f"the image has no {', '.join(missing)}; it offers {', '.join(found.platforms) or 'nothing'}")
        return other_commit(artifact.ref, found) or Succeeded(f"sha256:{short(found.digest)}")


def other_commit(ref: str, found: ResolvedImage) -> Failed | None:
    """A failure when a commit was asked for and the image says that it was built from another one."""
    revision = found.commit
    if not COMMIT.fullmatch(ref) or not revision or revision.startswith(ref):
        return None
    return Failed(f"the image says it was built from commit {revision[:12]}, not from {ref}")
