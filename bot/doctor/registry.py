"""Area `registry`: the repository of each service's images answers, and lets itself be read."""

from bot.adapters.oci_client import Repository
from bot.adapters.oci_registry import OciRegistry
from bot.doctor.case import Case
from bot.doctor.finding import Area, Tell
from bot.domain.errors import RefusedError, SetupError, SluiceError
from bot.opening import opened_registry

AREA = Area.REGISTRY


async def examine(case: Case, tell: Tell) -> None:
    """Asks for a tag of each repository; pulls nothing."""
    catalogue = case.the_catalogue
    try:
        async with opened_registry(case.settings, catalogue) as registry:
            for image in dict.fromkeys(service.image for service in catalogue.services.values()):
                await _repository(registry, image, tell)
    except SetupError as exc:
        tell(AREA.fault("logins", str(exc), "correct SLUICE_REGISTRY_CONFIG: the path of a Docker config.json"))


async def _repository(registry: OciRegistry, image: str, tell: Tell) -> None:
    host = Repository.parse(image).host
    login = f"put a login of {host} that may read into the config.json that SLUICE_REGISTRY_CONFIG names"
    try:
        pushed = await registry.look(image)
    except RefusedError as exc:
        tell(AREA.failed(image, exc, login))
    except SluiceError as exc:
        plain = f'if it has no TLS, write `registries: {{"{host}": {{insecure: true}}}}`'
        tell(AREA.failed(image, exc, f"bring {host} up, and let it be reached from here; {plain}"))
    else:
        if pushed:
            tell(AREA.ok(image, "it answers and lets itself be read"))
        else:
            seen = "the registry shows no image there: none was pushed, or the login may not see them"
            tell(AREA.fault(image, seen, f"correct `image` in sluice.yaml, push a first image, or {login}"))
