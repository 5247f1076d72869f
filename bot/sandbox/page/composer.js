// The message box: a combobox that knows every command, service, environment and version.
import { byId, fill, h } from "./dom.js";

const SHOWN = 12;
const HISTORY = 50;

/** `send(text)` is asked for what was typed; `vocabulary()` for what can be. */
export class Composer {
  constructor({ send, vocabulary }) {
    this.send = send;
    this.vocabulary = vocabulary;
    this.box = byId("box");
    this.list = byId("options");
    this.options = [];
    this.chosen = -1;
    this.sent = [];
    this.back = 0;
    this.box.addEventListener("input", () => this.#suggest());
    this.box.addEventListener("keydown", (event) => this.#key(event));
    this.box.addEventListener("blur", () => setTimeout(() => this.#hide(), 150)); // a click on an option comes first
    byId("composer").addEventListener("submit", (event) => { event.preventDefault(); this.#submit(); });
  }

  /** Put a line there for somebody to send. */
  offer(text) {
    this.box.value = text;
    this.box.focus();
    this.#hide();
  }

  async #submit() {
    const text = this.box.value.trim();
    if (!text) return;
    this.#hide();
    this.box.value = "";
    this.sent = [text, ...this.sent.filter((each) => each !== text)].slice(0, HISTORY);
    this.back = 0;
    if (!(await this.send(text)) && !this.box.value) this.box.value = text; // what was not taken is not lost
  }

  #key(event) {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move && this.options.length) {
      event.preventDefault();
      this.#choose((this.chosen + move + this.options.length) % this.options.length);
    } else if (move) {
      this.#recall(-move, event);
    } else if (event.key === "Escape" && this.options.length) {
      event.preventDefault(); // it is for the options alone
      this.#hide();
    } else if (event.key === "Tab" && !event.shiftKey && this.options.length) {
      event.preventDefault();
      this.#accept(Math.max(this.chosen, 0));
    } else if (event.key === "Enter" && this.chosen >= 0) {
      event.preventDefault();
      this.#accept(this.chosen);
    }
  }

  #recall(step, event) {
    if (this.box.value && this.box.value !== this.sent[this.back - 1]) return;
    this.back = Math.min(Math.max(this.back + step, 0), this.sent.length);
    this.box.value = this.sent[this.back - 1] ?? "";
    event.preventDefault();
  }

  #suggest() {
    const before = this.box.value.slice(0, this.box.selectionStart);
    const words = before.split(/\s+/);
    const word = words.pop();
    this.options = before.startsWith("/") ? fitting(this.vocabulary(), words, word).slice(0, SHOWN) : [];
    this.chosen = -1;
    this.#render();
  }

  #render() {
    this.list.hidden = !this.options.length;
    this.box.setAttribute("aria-expanded", String(this.options.length > 0));
    this.box.removeAttribute("aria-activedescendant");
    fill(this.list, ...this.options.map((one, at) =>
      h("li", { id: `option-${at}`, role: "option", "aria-selected": "false", onmousedown: (event) => { event.preventDefault(); this.#accept(at); } },
        h("span", { class: "word" }, one.word), h("span", { class: "hint" }, one.about))));
  }

  #choose(at) {
    this.list.children[this.chosen]?.setAttribute("aria-selected", "false");
    this.chosen = at;
    this.list.children[at].setAttribute("aria-selected", "true");
    this.list.children[at].scrollIntoView({ block: "nearest" });
    this.box.setAttribute("aria-activedescendant", `option-${at}`);
  }

  #accept(at) {
    const before = this.box.value.slice(0, this.box.selectionStart);
    const kept = before.slice(0, before.length - before.split(/\s+/).at(-1).length);
    this.box.value = `${kept}${this.options[at].word} ${this.box.value.slice(this.box.selectionStart).trimStart()}`;
    this.#suggest();
  }

  #hide() {
    this.options = [];
    this.chosen = -1;
    this.#render();
  }
}

/** What may stand next: a command, or one of the words that its kind takes and that is not there yet. */
function fitting({ commands, verbs, words }, typed, word) {
  if (!typed.length) return commands.filter((one) => one.word.startsWith(word));
  const isOpen = (one) => one.word.startsWith(word) && one.word !== word;
  const rest = typed.slice(1);
  const command = typed[0].slice(1);
  if (command === "release" && !rest.length) return verbs.filter(isOpen);
  const verb = command === "release" ? rest.shift() : command;
  const used = new Set(words.filter((one) => rest.includes(one.word)).map((one) => one.kind));
  const twice = verb === "promote" ? "environment" : "";
  return words.filter((one) => isOpen(one) && !rest.includes(one.word) && (!used.has(one.kind) || one.kind === twice || one.kind === "option") && takes(verb, one.kind));
}

function takes(verb, kind) {
  if (kind === "ref") return ["deploy", "canary", "rollback"].includes(verb);
  if (kind === "option") return ["deploy", "canary", "rollback", "promote"].includes(verb);
  return verb !== "help";
}
