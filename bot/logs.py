"""Structured logs: one JSON object a line, a constant sentence with fields, run and step bound by context."""

import logging
import sys
from collections.abc import MutableMapping
from contextlib import AbstractContextManager
from typing import Any

import structlog
from pydantic import SecretStr

HIDDEN = frozenset({"token", "secret", "password", "authorization", "signing_secret", "bot_token", "app_token"})
"""Field names whose values are never written, whatever they hold."""


def setup(level: str = "INFO", *, json: bool = True) -> None:
    """Route our own and the libraries' logs to standard error. Called once, by the process that starts."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact,
    ]
    renderer: Any = structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for noisy in ("apscheduler", "httpx", "httpcore", "aiosqlite", "slack_bolt", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide secrets by field name and by type."""
    for key, value in event.items():
        if key.lower() in HIDDEN or isinstance(value, SecretStr):
            event[key] = "**hidden**"
    return event


def get(name: str) -> Any:  # structlog's bound logger has no public type that fits every factory
    """A logger; its fields are keyword arguments."""
    return structlog.stdlib.get_logger(name)


def bound(**fields: object) -> AbstractContextManager[None]:
    """Put `fields` into every log line of this block, also those of libraries."""
    return structlog.contextvars.bound_contextvars(**fields)
