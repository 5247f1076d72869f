"""What a service needs of another one: a version by number, or one that it was proven with."""

from typing import Annotated

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version
from pydantic import AfterValidator

from bot.domain.image import COMMIT

PROVEN = "proven"
"""Instead of a number: a version beside which the very same image ran healthy in the environment before."""

VERSION_LABEL = "org.opencontainers.image.version"
"""The label that names an image's version (OCI image specification, pre-defined annotation keys)."""


def need(written: str) -> str:
    """A need as the catalogue writes it; raises ValueError."""
    if written == PROVEN:
        return written
    try:
        found = SpecifierSet(written)
    except InvalidSpecifier as exc:
        raise ValueError(f"'{written}' is no need; write versions such as '>=1.4,<2', or 'proven'") from exc
    if not list(found):
        raise ValueError("an empty need asks for nothing; write versions such as '>=1.4,<2', or 'proven'")
    return written


Need = Annotated[str, AfterValidator(need)]


def version_of(*names: str) -> Version | None:
    """The version that the first of these names is; `v1.4.2` is 1.4.2. `None`: none of them is one. A commit may read
    as a version, and is none: one in thirteen short ones is like `12a3456`, which would be a very high alpha."""
    for name in names:
        if COMMIT.fullmatch(name.lower()):
            continue
        try:
            return Version(name)
        except InvalidVersion:
            continue
    return None


def meets(version: Version, wanted: str) -> bool:
    """Whether a version is one of those wanted; one before its release (`1.4.0rc1`) counts as what it is."""
    return SpecifierSet(wanted).contains(version, prereleases=True)
