"""`sluice serve`: opens the real servers around the bot, and closes them in the right order."""

import asyncio
import gc
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import timedelta

from bot import logs
from bot.adapters.system_clock import SystemClock
from bot.app import Bot, Configured, assemble, owner_name
from bot.opening import Slack, opened, opened_ports, opened_slack
from bot.ports.clock import Clock
from bot.ports.store import Store
from bot.schedule import Schedule
from bot.settings import Settings
from bot.slack.bolt import make_app, slack_handler
from bot.slack.signature import SignedOnly
from bot.slack.socket_mode import SocketMode
from bot.web import Handler, Server
from commands.locking import remind
from runbooks.configuration import load

LATE = timedelta(seconds=60)
"""A due run that nobody has looked at for so long is named by the watchdog."""

MANY = 1000

log = logs.get(__name__)


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; then finish the passes under way and flush the outbox.

    Raises SetupError when something that only a person can mend is wrong.
    """
    clock = SystemClock()
    settings.require_slack()
    configured = Configured(load(settings.config), settings.config)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened(settings))
        slack = await stack.enter_async_context(opened_slack(settings, clock))
        reached = opened_ports(settings, configured.catalogue(), store, slack, clock=clock)
        ports = await stack.enter_async_context(reached)
        bot = assemble(ports, configured, owner=owner_name())
        handler, connected = await hearing(
            settings, slack, bot, configured=configured, clock=clock, store=store, stack=stack
        )
        schedule = await stack.enter_async_context(
            Schedule(ring=bot.bells.ring, watchdog=lambda: _rounds(store, clock, configured))
        )
        bot.bells.set_alarm = schedule.set_alarm
        server = Server(store=store, clock=clock, ready=connected, slack=handler)
        port = await stack.enter_async_context(server.listening(settings.host, settings.port))
        _on_signals(bot, configured)
        settle_memory()
        log.info("serving", port=port, mode="http" if handler else "socket", sole=store.sole)
        await bot.worker.serve()
    log.info("stopped")


async def _rounds(store: Store, clock: Clock, configured: Configured) -> None:
    """What is looked after each minute: late runs, and locks that their owners forgot."""
    await watch(store, clock)
    await remind(store, clock, configured.catalogue())


async def watch(store: Store, clock: Clock) -> None:
    """The watchdog: name every run that should have been looked at and was not."""
    async with store.reading() as tx:
        backlog = await tx.backlog(clock.now())
    if backlog.late > LATE:
        log.warning("runs are late", late_s=backlog.late.total_seconds(), runs=dict(backlog.runs_by_phase))


async def wake_ballots(store: Store, clock: Clock) -> None:
    """After a silence of Slack: every open ballot is read anew, because votes may have been missed."""
    async with store.transaction() as tx:
        for run in await tx.runs(active=True, limit=MANY):
            if run.ballot and not run.ballot.closed:
                await tx.wake(run.id, at=clock.now())


async def hearing(
    settings: Settings,
    slack: Slack,
    bot: Bot,
    *,
    configured: Configured,
    clock: Clock,
    store: Store,
    stack: AsyncExitStack,
) -> tuple[Handler | None, Callable[[], str | None]]:
    """How Slack reaches us: a handler for its requests, or a socket of ours; and why we are not ready, if so."""
    secret = settings.slack_signing_secret
    app = make_app(
        client=slack.client,
        hear=bot.hear,
        forms=configured.choices,
        clock=clock,
        bot_user=slack.me.user,
    )
    if settings.slack_app_token is None:
        door = SignedOnly(secret.get_secret_value() if secret else None, clock=clock)
        return slack_handler(app, door), lambda: None
    mode = SocketMode(
        app,
        settings.slack_app_token.get_secret_value(),
        slack.client,
        clock=clock,
        on_reconnect=lambda: wake_ballots(store, clock),
    )
    connection = await stack.enter_async_context(mode)
    return None, lambda: None if connection.connected else "the socket to Slack is not connected"


def settle_memory() -> None:
    """Take what was loaded for good out of the garbage collector's sight.

    The Kubernetes client alone brings so many objects that each full collection stopped the process for 75 ms, and with
    it every acknowledgement.
    """
    gc.collect()
    gc.freeze()


def _on_signals(bot: Bot, configured: Configured) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, bot.worker.stop)
    loop.add_signal_handler(signal.SIGHUP, configured.reload)
