"""Who is who: auth.test, users.*, usergroups.*, team.info, bots.info."""

from bot.sandbox.slack.acme import Group
from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.fault import SlackFaultError
from bot.sandbox.slack.method import Body, Caller, Method
from bot.sandbox.slack.paging import page
from bot.sandbox.slack.rendering import person_json
from bot.sandbox.slack.workspace import Workspace


class PeopleMethods:
    """The methods, over a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._since = workspace.now_s()

    def methods(self) -> dict[str, Method]:
        """By name."""
        return {
            "auth.test": Method(self.auth),
            "users.info": Method(self.info, ("users:read",)),
            "users.list": Method(self.all, ("users:read",)),
            "usergroups.list": Method(self.groups, ("usergroups:read",)),
            "usergroups.users.list": Method(self.group_members, ("usergroups:read",)),
            "team.info": Method(self.team, ("team:read",)),
            "bots.info": Method(self.bot, ("users:read",)),
        }

    def auth(self, caller: Caller, _args: Arguments) -> Body:
        """Whose token it is."""
        acme = self._workspace.acme
        who = self._workspace.people[caller.user]
        bot = {"bot_id": acme.app.bot_id} if caller.is_app else {}
        return {
            "url": f"https://{acme.domain}.slack.com/",
            "team": acme.name,
            "user": who.name,
            "team_id": acme.team_id,
            "user_id": who.id,
            "is_enterprise_install": False,
            **bot,
        }

    def info(self, _caller: Caller, args: Arguments) -> Body:
        """One account."""
        person = self._workspace.people.get(args.required("user"))
        if person is None:
            raise SlackFaultError("user_not_found")
        return {"user": person_json(person, self._workspace.acme, updated=self._since)}

    def all(self, _caller: Caller, args: Arguments) -> Body:
        """Every account."""
        people = sorted(self._workspace.people.values(), key=lambda person: person.id)
        shown, cursor = page(people, args, key=lambda person: person.id)
        listed = [person_json(person, self._workspace.acme, updated=self._since) for person in shown]
        return {"members": listed, "cache_ts": self._workspace.now_s(), "response_metadata": {"next_cursor": cursor}}

    def groups(self, _caller: Caller, args: Arguments) -> Body:
        """Every user group."""
        users = args.flag("include_users")
        listed = [self._group(group, with_users=users) for group in self._workspace.groups.values()]
        return {"usergroups": listed}

    def group_members(self, _caller: Caller, args: Arguments) -> Body:
        """Who is in a user group."""
        group = self._workspace.groups.get(args.required("usergroup"))
        if group is None:
            raise SlackFaultError("no_such_subteam")
        return {"users": list(group.members)}

    def team(self, _caller: Caller, _args: Arguments) -> Body:
        """The workspace."""
        acme = self._workspace.acme
        return {"team": {"id": acme.team_id, "name": acme.name, "domain": acme.domain, "email_domain": ""}}

    def bot(self, _caller: Caller, args: Arguments) -> Body:
        """The app's bot."""
        app = self._workspace.acme.app
        if args.text("bot") not in ("", app.bot_id):
            raise SlackFaultError("bot_not_found")
        shown = {"id": app.bot_id, "app_id": app.id, "user_id": app.user, "name": app.name, "deleted": False}
        return {"bot": shown | {"updated": self._since}}

    def _group(self, group: Group, *, with_users: bool) -> Body:
        shown: Body = {
            "id": group.id,
            "team_id": self._workspace.acme.team_id,
            "is_usergroup": True,
            "name": group.handle,
            "handle": group.handle,
            "description": "",
            "is_external": False,
            "date_create": self._since,
            "date_update": self._since,
            "date_delete": 0,
            "user_count": len(group.members),
        }
        return shown | ({"users": list(group.members)} if with_users else {})
