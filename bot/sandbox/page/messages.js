// A list of messages. A message that changes is made anew; nothing else of the list is touched.
import { body } from "./blockkit.js";
import { fill, h, swap } from "./dom.js";
import { emoji, sign } from "./emoji.js";

const VOTES = ["white_check_mark", "x"];
const NEAR = 80; // pixels from the end within which somebody follows what comes

/** One list of messages in `place`. `acts`: react(ts, name, on), press(message, button, block), open(ts). */
export class Messages {
  constructor(place, acts) {
    this.place = place;
    this.acts = acts;
    this.shown = new Map();
  }

  /** Show exactly these. */
  show(state, room, listed, { inThread = false } = {}) {
    this.state = state;
    this.room = room;
    this.inThread = inThread;
    this.shown = new Map(listed.map((one) => [one.ts, this.#item(one)]));
    fill(this.place, ...this.shown.values());
    if (!listed.length) fill(this.place, h("li", { class: "empty" }, "Nothing has been said here yet. Type a command below."));
    this.#toEnd();
  }

  /** A message came, changed or went. */
  update(message, ts) {
    const old = this.shown.get(ts);
    if (!message) {
      old?.remove();
      this.shown.delete(ts);
      return;
    }
    const follows = this.#follows();
    const made = this.#item(message);
    if (old) swap(old, made);
    else this.#insert(made, ts);
    this.shown.set(ts, made);
    if (follows) this.#toEnd();
  }

  #insert(made, ts) {
    this.place.querySelector(".empty")?.remove();
    const later = [...this.shown.keys()].filter((each) => each > ts).sort()[0];
    if (later) this.place.insertBefore(made, this.shown.get(later));
    else this.place.append(made);
  }

  #follows() {
    const { scrollHeight, scrollTop, clientHeight } = this.place;
    return scrollHeight - scrollTop - clientHeight < NEAR;
  }

  #toEnd() {
    this.place.scrollTop = this.place.scrollHeight;
  }

  #item(message) {
    const person = this.state.people.get(message.user);
    const name = person?.name ?? message.user;
    const tools = { names: this.state.names, press: (button, block) => this.acts.press(message, button, block) };
    const isPrivate = message.is_ephemeral;
    return h("li", { class: `message${isPrivate ? " private" : ""}${message.bot_id ? " by-app" : ""}`, "data-ts": message.ts },
      h("span", { class: "avatar", "aria-hidden": "true", "data-who": name }, name.slice(0, 1).toUpperCase()),
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
    const offered = message.bot_id ? VOTES.filter((name) => !given.some((one) => one.name === name)) : [];
    const replies = this.inThread ? 0 : this.state.replies(this.room, message.ts);
    return h("div", { class: "foot" },
      ...given.map((one) => this.#reaction(message, one)),
      ...offered.map((name) => this.#reaction(message, { name, users: [] })),
      replies > 0 && h("button", { type: "button", class: "replies", "data-key": `${message.ts}/replies`, onclick: () => this.acts.open(message.ts) },
        `${replies} ${replies === 1 ? "reply" : "replies"}`));
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
    h("a", { href: `/files/${file.id}`, target: "_blank" }, h("img", { src: `/files/${file.id}`, alt: file.alt_txt ?? file.title, loading: "lazy" })),
    h("figcaption", {}, file.title));
}

const date = (ts) => new Date(Number(ts) * 1000);
const clock = (ts) => date(ts).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** What a message says first, for those who hear it. */
export function headline(message, names) {
  const line = (message.text ?? "").split("\n")[0].replace(/:([a-z0-9_+-]+):/g, (all, name) => sign(name) ?? all);
  return `${names.person(message.user)}: ${line.replace(/[*_`~]|<[@!#]?([^|>]*)\|?([^>]*)>/g, (_, id, label) => label || names.person(id ?? "") || "")}`;
}
