// A list of messages. A message that changes is made anew; nothing else of the list is touched.
import { body } from "./blockkit.js";
import { fill, h, swap } from "./dom.js";
import { emoji, sign } from "./emoji.js";

const VOTES = ["white_check_mark", "x"];
const ASKED = /:ballot_box_with_ballot:|\*Break-glass\*/; // the bot's words where a reaction counts
const NEAR = 80; // pixels from the end within which somebody follows what comes
const TOGETHER_S = 300; // so soon after another one of the same person a message needs no name of its own
const ANSWERED_S = 5; // so soon a private one is the answer to what was typed; later it is about something else

/**
 * One list of messages in `place`. `acts`: react(ts, name, on), press(message, button, block), open(ts). It follows what
 * comes while somebody is at its end, and stands still while they read further up; `newest`, a button, leads back.
 */
export class Messages {
  constructor(place, acts, { newest, empty = () => [] } = {}) {
    Object.assign(this, { place, acts, newest, empty, shown: new Map(), following: true });
    place.addEventListener("scroll", () => this.#scrolled());
    place.addEventListener("load", () => this.#follow(), true); // a picture has come, and with it its height
    new ResizeObserver(() => this.#follow()).observe(place);
    newest?.addEventListener("click", () => { this.#toEnd(); this.place.focus(); });
  }

  /** Show exactly these. */
  show(state, room, listed, { inThread = false } = {}) {
    this.state = state;
    this.room = room;
    this.inThread = inThread;
    this.shown = new Map(listed.map((one) => [one.ts, this.#item(one)]));
    fill(this.place, ...this.shown.values());
    if (!listed.length) fill(this.place, ...this.empty());
    this.#group();
    this.#toEnd();
  }

  /** A message came, changed or went. */
  update(message, ts) {
    const old = this.shown.get(ts);
    if (!message) {
      old?.remove();
      this.shown.delete(ts);
      this.#group();
      return;
    }
    const made = this.#item(message);
    this.#steadily(() => {
      if (old) swap(old, made);
      else this.#insert(made, ts);
      this.#group();
    });
    this.shown.set(ts, made);
    this.#follow();
  }

  /** Have a message in view that the list shows. */
  reveal(ts) {
    this.shown.get(ts)?.scrollIntoView({ block: "nearest" });
  }

  #insert(made, ts) {
    for (const each of this.place.querySelectorAll(".empty")) each.remove();
    const later = [...this.shown.keys()].filter((each) => each > ts).sort()[0];
    if (later) this.place.insertBefore(made, this.shown.get(later));
    else this.place.append(made);
  }

  /** What somebody says in a row has their name once. A release has its own wherever it stands. */
  #group() {
    let before = null;
    for (const each of this.place.querySelectorAll(".message")) {
      const { by, ts, alone } = each.dataset;
      const within = each.classList.contains("private") ? ANSWERED_S : TOGETHER_S;
      each.classList.toggle("follows", !alone && before?.by === by && ts - before.ts < within);
      before = { by, ts };
    }
  }

  /** Change the list so that what is read stays where it is: not every browser does that by itself. */
  #steadily(change) {
    const top = this.place.getBoundingClientRect().top;
    const read = [...this.shown.values()].find((each) => each.getBoundingClientRect().bottom > top);
    const before = read?.getBoundingClientRect().top;
    change();
    if (read?.isConnected && !this.following) this.place.scrollTop += read.getBoundingClientRect().top - before;
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.place;
    this.following = scrollHeight - scrollTop - clientHeight < NEAR;
    if (this.newest) this.newest.hidden = this.following;
  }

  #follow() {
    if (this.following) this.#toEnd();
  }

  #toEnd() {
    this.following = true;
    this.place.scrollTop = this.place.scrollHeight;
    if (this.newest) this.newest.hidden = true;
  }

  #item(message) {
    const person = this.state.people.get(message.user);
    const name = person?.name ?? message.user;
    const tools = { names: this.state.names, press: (button, block) => this.acts.press(message, button, block) };
    const isPrivate = message.is_ephemeral;
    return h("li", { class: `message${isPrivate ? " private" : ""}${message.bot_id ? " by-app" : ""}${message.bot_id && message.blocks ? " release" : ""}`, "data-ts": message.ts, "data-key": message.ts,
      "data-by": `${message.user}${isPrivate ? "/private" : ""}`, "data-alone": message.bot_id && message.blocks && !isPrivate && !this.inThread && "yes" },
      h("div", { class: "side", "aria-hidden": "true" },
        h("span", { class: "avatar" }, name.slice(0, 1).toUpperCase()),
        h("time", { class: "brief", datetime: date(message.ts).toISOString(), title: clock(message.ts) }, clock(message.ts).slice(0, 5))),
      h("div", { class: "said" },
        h("p", { class: "by" },
          h("strong", {}, name), message.bot_id && h("span", { class: "pill" }, "app"),
          h("time", { datetime: date(message.ts).toISOString() }, clock(message.ts)),
          message.edited && h("span", { class: "hint" }, "(edited)"),
          isPrivate && h("span", { class: "hint" }, "Only visible to you")),
        ...body(message, tools),
        ...(message.files ?? []).map(picture),
        !isPrivate && this.#foot(message)));
  }

  #foot(message) {
    const given = message.reactions ?? [];
    const offered = this.#asks(message) ? VOTES.filter((name) => !given.some((one) => one.name === name)) : [];
    const replies = this.inThread ? 0 : this.state.replies(this.room, message.ts);
    return h("div", { class: "foot" },
      ...given.map((one) => this.#reaction(message, one)),
      ...offered.map((name) => this.#reaction(message, { name, users: [] })),
      replies > 0 && h("button", { type: "button", class: "replies", "data-key": `${message.ts}/replies`, onclick: () => this.acts.open(message.ts) },
        `${replies} ${replies === 1 ? "reply" : "replies"}`));
  }

  /** A release under way that people are asked about, or should have been: of others the bot heeds no reaction. */
  #asks(message) {
    const isUnderWay = message.blocks?.some((block) => block.elements?.some((one) => one.action_id === "abort"));
    return !this.inThread && message.bot_id && isUnderWay && ASKED.test(message.text);
  }

  #reaction(message, { name, users }) {
    const mine = users.includes(this.state.me);
    const who = users.map((id) => this.state.names.person(id)).join(", ");
    const label = `${name.replaceAll("_", " ")}: ${users.length ? `${users.length}, ${who}` : "nobody yet"}`;
    return h("button", {
      type: "button", class: `reaction${users.length ? "" : " offered"}`, "aria-pressed": String(mine), "aria-label": label, title: label,
      "data-key": `${message.ts}/${name}`, "data-reaction": name,
      onclick: () => this.acts.react(message.ts, name, !mine),
    }, emoji(name) ?? `:${name}:`, users.length ? h("span", { "aria-hidden": "true" }, String(users.length)) : null);
  }
}

function picture(file) {
  if (file.mimetype !== "image/png") return h("p", { class: "hint" }, `File: ${file.title}`);
  return h("figure", {},
    h("a", { href: `/files/${file.id}`, target: "_blank", "data-key": file.id, title: "Open the picture" }, h("img", { src: `/files/${file.id}`, alt: file.alt_txt ?? file.title, loading: "lazy" })),
    h("figcaption", {}, file.title));
}

const date = (ts) => new Date(Number(ts) * 1000);
const clock = (ts) => date(ts).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

/** What a message says first, for those who hear it. */
export function headline(message, names) {
  const line = (message.text ?? "").split("\n")[0].replace(/:([a-z0-9_+-]+):/g, (all, name) => sign(name) ?? all);
  return `${names.person(message.user)}: ${line.replace(/[*_`~]|<[@!#]?([^|>]*)\|?([^>]*)>/g, (_, id, label) => label || names.person(id ?? "") || "")}`;
}
