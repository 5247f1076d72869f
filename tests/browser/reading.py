"""What happens to a list of messages while somebody reads in the midst of it."""

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
