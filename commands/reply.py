"""What goes back to the person who asked."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reply:
    """`text` is mrkdwn. `private`: only the person sees it. `about` is the run or target concerned, for the journal."""

    text: str
    private: bool = True
    about: str = ""
