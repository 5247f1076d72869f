"""Who is in the fake workspace."""

from bot.domain.approval import Person
from bot.domain.ids import UserId

BOT = UserId("U0SLUICE")
ANN, BOB, CID, DAN = UserId("U0ANN"), UserId("U0BOB"), UserId("U0CID"), UserId("U0DAN")
EVE, FRANK = UserId("U0EVE"), UserId("U0FRANK")
PEOPLE = (
    Person(ANN, "ann"),
    Person(BOB, "bob"),
    Person(CID, "cid"),
    Person(DAN, "dan"),
    Person(EVE, "eve", is_guest=True),
    Person(FRANK, "frank", is_deleted=True),
    Person(BOT, "sluice", is_bot=True),
)
