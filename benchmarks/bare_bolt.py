"""A bare Bolt echo app: the yardstick for acknowledgements. `python -m benchmarks.bare_bolt PORT`."""

import os
import sys

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient


def main() -> None:
    """Serve until the process is ended."""
    client = AsyncWebClient(token=os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"])
    app = AsyncApp(client=client, signing_secret=os.environ["SLACK_SIGNING_SECRET"])

    @app.command("/release")
    async def echo(ack, command):  # type: ignore[no-untyped-def]  # Bolt injects by name
        await ack(command["text"])

    app.server(port=int(sys.argv[1]), path="/slack/events", host="127.0.0.1").start()


if __name__ == "__main__":
    main()
