"""Area `slack`: the tokens, the scopes, and the channels that the catalogue names."""

from slack_sdk.web.async_client import AsyncWebClient

from bot.doctor.case import Case
from bot.doctor.finding import Area, Tell
from bot.doctor.manifest import needed_scopes
from bot.doctor.voters import Voters, asked
from bot.domain.errors import ClosedError, NotFoundError, SluiceError, TemporaryError, UnreadableError
from bot.settings import Settings
from bot.slack.channels import Channels
from bot.slack.directory import SlackDirectory
from bot.slack.groups import Groups
from bot.slack.web_api import Introduction, calling, introduce, open_client

AREA = Area.SLACK
TOKEN = "bot token"
COPY_TOKEN = "copy the Bot User OAuth Token (xoxb-…) from OAuth & Permissions of the app into SLACK_BOT_TOKEN"
REINSTALL = "at api.slack.com/apps, OAuth & Permissions, then Reinstall to Workspace"


async def examine(case: Case, tell: Tell) -> None:
    """Asks Slack; posts nothing."""
    settings = case.settings
    _door(settings, tell)
    if settings.slack_bot_token is None:
        tell(AREA.fault(TOKEN, "SLACK_BOT_TOKEN is not set", COPY_TOKEN))
        return
    token = settings.slack_bot_token.get_secret_value()
    async with open_client(token, base_url=settings.slack_api_url) as client:
        introduction = await _introduced(client, settings, tell)
        if introduction is None:
            return
        _scopes(introduction, tell)
        await _socket(client, settings, tell)
        if case.configuration is None:
            tell(AREA.unknown("channels and user groups", "the catalogue has faults", "mend them first"))
            return
        catalogue = case.configuration.catalogue
        channels = Channels(client, clock=case.clock)
        for name in catalogue.channels():
            await _channel(channels, name, introduction.name, tell)
        groups = Groups(client, clock=case.clock)
        voters = Voters(SlackDirectory(client, me=introduction.me, groups=groups))
        for each in asked(catalogue):
            tell(await voters.looked_at(each))


def _door(settings: Settings, tell: Tell) -> None:
    """How Slack reaches Sluice: one of the two must be there."""
    if settings.slack_app_token is None and settings.slack_signing_secret is None:
        fix = "set SLACK_SIGNING_SECRET (HTTP: Basic Information of the app) or SLACK_APP_TOKEN (xapp-…: Socket Mode)"
        tell(AREA.fault("way in", "neither SLACK_SIGNING_SECRET nor SLACK_APP_TOKEN is set", fix))
    elif settings.slack_app_token is None:
        tell(AREA.ok("way in", "HTTP: SLACK_SIGNING_SECRET is set; only a request of Slack's proves it right"))


async def _introduced(client: AsyncWebClient, settings: Settings, tell: Tell) -> Introduction | None:
    try:
        found = await introduce(client)
    except SluiceError as exc:
        away = f"let {settings.slack_api_url} be reached from here, or correct SLACK_API_URL"
        tell(AREA.failed(TOKEN, exc, away if isinstance(exc, TemporaryError | UnreadableError) else COPY_TOKEN))
        return None
    if not found.me.bot_id:
        tell(AREA.fault(TOKEN, f"it is not a bot's, but that of the user {found.name} in {found.team}", COPY_TOKEN))
        return None
    tell(AREA.ok(TOKEN, f"@{found.name} in {found.team}"))
    return found


def _scopes(found: Introduction, tell: Tell) -> None:
    needed = needed_scopes()
    if found.scopes is None:
        fix = f"compare them with deploy/slack-manifest.yaml {REINSTALL}"
        tell(AREA.unknown("scopes", "Slack does not say which ones the token has", fix))
        return
    missing, more = sorted(needed - found.scopes), sorted(found.scopes - needed)
    if missing:
        tell(AREA.fault("scopes", f"missing: {', '.join(missing)}", f"add {_them(missing)} {REINSTALL}"))
    if more:
        said = f"more than Sluice needs: {', '.join(more)}"
        tell(AREA.warning("scopes", said, f"take {_them(more)} away {REINSTALL}"))
    if not missing and not more:
        tell(AREA.ok("scopes", f"all {len(needed)} of the manifest"))


def _them(names: list[str]) -> str:
    return "it" if len(names) == 1 else "them"


async def _socket(client: AsyncWebClient, settings: Settings, tell: Tell) -> None:
    """Whether a socket could be opened; none is."""
    if settings.slack_app_token is None:
        return
    fix = "make an app-level token with the scope connections:write under Basic Information, and turn Socket Mode on"
    try:
        async with calling("open a socket"):
            await client.apps_connections_open(app_token=settings.slack_app_token.get_secret_value())
    except SluiceError as exc:
        tell(AREA.failed("app token", exc, fix))
        return
    tell(AREA.ok("way in", "Socket Mode: the app token may open a socket"))


async def _channel(channels: Channels, name: str, bot: str, tell: Tell) -> None:
    shown = f"#{name.removeprefix('#')}"
    invite = f"type `/invite @{bot}` in {shown}"
    try:
        state = await channels.state(await channels.id(name))
    except (NotFoundError, ClosedError):
        seen = "the bot sees no such channel: it is not there, archived, or private"
        tell(AREA.fault(shown, seen, f"make it, or correct its name in sluice.yaml; if it is private, {invite}"))
    except SluiceError as exc:
        tell(AREA.failed(shown, exc, "mend what Slack complains of, then `sluice doctor slack`"))
    else:
        if state.archived:
            fix = f"unarchive it, or name another channel in sluice.yaml; then {invite}"
            tell(AREA.fault(shown, "it is archived", fix))
        elif not state.member:
            tell(AREA.fault(shown, "the bot is not a member, so it cannot post there", invite))
        else:
            shared = "; people of another organisation read it, too" if state.shared else ""
            tell(AREA.ok(shown, f"the bot is a member{shared}"))
