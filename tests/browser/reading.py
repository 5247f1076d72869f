"""How a list of messages is shown, and what happens to it while somebody reads in the midst of it."""

GROWING_ABOVE = """async () => {
  const { Messages } = await import("/page/messages.js");
  const place = document.getElementById("messages");
  const people = new Map();
  const names = { person: (id) => id };
  const list = new Messages(place, {});
  const said = (at, text) => ({ ts: String(at), user: "ann", text });
  const words = [...Array(60).keys()].map((at) => said(1000 + at, "word"));
  list.show({ me: "ann", people, names, replies: () => 0 }, "C1", words);
  place.scrollTop = 900;
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const top = place.getBoundingClientRect().top;
  const read = [...place.children].find((each) => each.getBoundingClientRect().top > top);
  const before = read.getBoundingClientRect().top;
  list.update(said(1001, "word\\n".repeat(12)), "1001");
  list.update(said(2000, "new"), "2000");
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return [before, read.getBoundingClientRect().top];
}"""
"""A message above what is read grows, and another comes below: where what is read was, and where it is."""

SAID_IN_A_ROW = """async () => {
  const { Messages } = await import("/page/messages.js");
  const place = document.getElementById("messages");
  const list = new Messages(place, {});
  const said = (at, user, more) => ({ ts: String(at), user, text: "word", ...more });
  const own = { is_ephemeral: true };
  const release = { bot_id: "B1", blocks: [{ type: "divider" }] };
  const words = [said(1000, "ann"), said(1010, "ann"), said(1020, "bob"), said(1030, "bob", own),
    said(1032, "bob", own), said(1039, "bob", own), said(1040, "bot"), said(1050, "bot", release),
    said(1060, "bot"), said(1500, "bot")];
  const state = { me: "ann", people: new Map(), names: { person: (id) => id }, replies: () => 0 };
  list.show(state, "C1", words);
  const named = () => [...place.children].filter((each) => each.querySelector(".avatar").checkVisibility())
    .map((each) => each.dataset.ts);
  const before = named();
  list.update(undefined, "1000");
  list.update(said(1035, "eve"), "1035");
  return [before, named()];
}"""
"""Which messages have a name of their own, at first; and when one has gone and another came between."""

REACTIONS_OFFERED = """async () => {
  const { Messages } = await import("/page/messages.js");
  const place = document.getElementById("messages");
  const list = new Messages(place, {});
  const abort = { type: "actions", elements: [{ type: "button", action_id: "abort", text: { text: "Abort" } }] };
  const said = (at, text, blocks) => ({ ts: String(at), user: "bot", bot_id: "B1", text, blocks });
  const vote = ":ballot_box_with_ballot: *Vote* on";
  const words = [said(1000, ":ship: api to staging", [abort]), said(1010, vote, [abort]),
    said(1020, "*Break-glass* by ann", [abort]), said(1030, vote, [])];
  const state = { me: "ann", people: new Map(), names: { person: (id) => id }, replies: () => 0 };
  list.show(state, "C1", words);
  return [...place.children].filter((each) => each.querySelector(".offered")).map((each) => each.dataset.ts);
}"""
"""The messages that offer reactions which nobody has given yet."""
