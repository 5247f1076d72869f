// The page: a channel as one person sees it, live, and the cluster beside it.
import { follow, get, post, sentence, watch } from "./api.js";
import { Composer } from "./composer.js";
import { byId, fill, h } from "./dom.js";
import { headline, Messages } from "./messages.js";
import * as modal from "./modal.js";
import { showNobody, showPanel, showTries, tryList } from "./panel.js";
import { State } from "./state.js";

const STARTERS = 2;

const here = { me: null, room: null, thread: null, state: null, stop: null, turn: 0, fault: "", unread: new Set() };

const acts = {
  react: (ts, name, on) => act("/api/react", { channel: here.room, ts, name, on }),
  press: (message, button, block) => act("/api/press", { channel: here.room, ts: message.ts, action_id: button.action_id, block_id: block.block_id }),
  open: (ts) => { here.thread = ts; showThread(); list.reveal(ts); byId("thread-close").focus(); },
};
const list = new Messages(byId("messages"), acts, { newest: byId("newest"), empty: beginning });
const replies = new Messages(byId("replies"), acts);
const composer = new Composer({ send: say, vocabulary: () => here.vocabulary });

async function act(path, body) {
  notice("");
  try {
    const answer = await post(path, { as: here.me, ...body });
    if (answer.error) notice(sentence(answer.error), answer.error);
    return !answer.error;
  } catch (error) {
    notice(error.message);
    return false;
  }
}

function say(text) {
  return act("/api/say", { channel: here.room, text });
}

function notice(text, fault = "") {
  byId("notice").textContent = text;
  here.fault = fault;
}

// What is mended is no longer said.
function mended({ bot, switches }) {
  const holds = { dispatch_failed: bot.state !== "serving", slack_is_down: switches.some((one) => one.name === "slack" && one.on) };
  if (holds[here.fault] === false) notice("");
}

function offer(line) {
  showView("channel");
  composer.offer(line);
}

// What a channel shows in which nothing has been said.
function beginning() {
  return [
    h("li", { class: "empty" }, h("strong", {}, "Nothing has been said here yet."), h("p", {}, "Type a command below, or begin with one of these:")),
    ...tryList(here.tries.slice(0, STARTERS), offer).map((each) => { each.className = "empty"; return each; }),
  ];
}

function closeThread() {
  const key = `${here.thread}/replies`;
  here.thread = null;
  showThread();
  (document.querySelector(`[data-key="${CSS.escape(key)}"]`) ?? byId("box")).focus({ preventScroll: true });
}

// --- who one is, and what that person sees ---

async function become(me) {
  const turn = here.turn += 1;
  here.stop?.();
  here.me = me;
  sessionStorage.setItem("me", me);
  const snapshot = await get(`/api/channel?as=${encodeURIComponent(me)}`);
  if (turn !== here.turn) return; // somebody else was chosen meanwhile
  here.state = new State(snapshot);
  here.room = here.state.rooms.has(here.room) ? here.room : [...here.state.rooms.keys()][0];
  showRoom();
  modal.showOnly(here.state.views, me);
  here.stop = follow((after) => `/api/feed?as=${encodeURIComponent(me)}&after=${after}`, snapshot.number, {
    hear,
    lost: () => undefined, // the panel's feed tells
    back: () => become(here.me).catch(away), // it may be another sandbox by now
  });
}

function away() {
  notice("The sandbox does not answer; it may have been stopped. This page goes on when it is there again.");
}

function hear(change) {
  const { kind } = change;
  if (kind === "forgotten") return void become(here.me).catch(away);
  if (kind === "view_closed") return modal.close(change.view_id);
  if (kind === "view_opened" || kind === "view_updated") return modal.show(change.view, here.me);
  const touched = here.state.take(change);
  if (!touched) return undefined;
  if (touched.rooms) showRooms();
  if (touched.room !== here.room) {
    if (kind === "message") { here.unread.add(touched.room); showRooms(); }
    return undefined;
  }
  return showTouched(kind, touched);
}

function showTouched(kind, { room, ts, thread }) {
  const message = here.state.messages.get(room).get(ts);
  const isReply = thread && thread !== ts;
  if (!isReply) list.update(message, ts);
  else list.update(here.state.messages.get(room).get(thread), thread); // it counts its replies
  if (here.thread && (ts === here.thread || thread === here.thread)) replies.update(message, ts);
  if (kind === "message" && message) byId("announcer").textContent = headline(message, here.state.names);
}

// --- showing ---

function showRoom() {
  const room = here.state.rooms.get(here.room);
  here.unread.delete(here.room);
  byId("room-name").textContent = roomName(room);
  document.title = `${here.me} in ${roomName(room)} · Sluice sandbox`; // tabs as different people are told apart by it
  byId("box-label").textContent = `Message ${roomName(room)} as ${here.me}`;
  list.show(here.state, here.room, here.state.top(here.room));
  showRooms();
  showThread();
}

const roomName = (room) => (room.is_im ? here.state.names.person(room.user) : `#${room.name}`);

function showRooms() {
  fill(byId("rooms"), ...[...here.state.rooms.values()].map((room) => h("li", {},
    h("button", { type: "button", "data-key": room.id, "aria-current": room.id === here.room ? "page" : null,
      onclick: () => { here.room = room.id; here.thread = null; showRoom(); } },
    roomName(room), here.unread.has(room.id) && h("span", { class: "unread" }, " new")))));
}

function showThread() {
  const pane = byId("thread");
  const first = here.thread && here.state.messages.get(here.room).get(here.thread);
  pane.hidden = !first;
  document.body.classList.toggle("has-thread", Boolean(first));
  if (first) replies.show(here.state, here.room, here.state.thread(here.room, here.thread), { inThread: true });
}

function showPeople(people) {
  const makers = people.map(({ name, about }) => h("label", {},
    h("input", { type: "radio", name: "me", value: name, checked: name === here.me, onchange: () => become(name).catch(away) }),
    h("span", {}, name, about && h("span", { class: "hint" }, ` ${about}`))));
  byId("me").append(...makers);
}

function showView(name) {
  document.body.dataset.view = name;
  for (const each of document.querySelectorAll("[data-show]")) each.setAttribute("aria-pressed", String(each.dataset.show === name));
}

// Whoever folds the list away does not want it back with each reload.
function rememberTrying() {
  const trying = byId("trying");
  trying.open = sessionStorage.getItem("trying") !== "no";
  trying.addEventListener("toggle", () => sessionStorage.setItem("trying", trying.open ? "yes" : "no"));
}

async function begin() {
  const scene = await get("/api/scene");
  here.vocabulary = scene.vocabulary;
  here.tries = scene.tries;
  here.me = sessionStorage.getItem("me") ?? scene.people[0].name;
  if (!scene.people.some((one) => one.name === here.me)) here.me = scene.people[0].name;
  showPeople(scene.people);
  showTries(scene.tries, offer);
  rememberTrying();
  byId("kill").addEventListener("click", () => post("/api/kill", {}).catch((error) => notice(error.message)));
  byId("thread-close").addEventListener("click", closeThread);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && here.thread && !event.defaultPrevented && !document.querySelector("dialog[open]")) closeThread(); });
  for (const each of document.querySelectorAll("[data-show]")) each.addEventListener("click", () => showView(each.dataset.show));
  await become(here.me);
  watch("/api/panel", { hear: (panel) => { showPanel(panel, notice); mended(panel); }, lost: () => { showNobody(); away(); }, back: () => { notice(""); become(here.me).catch(away); } });
  document.body.dataset.ready = "yes";
}

begin().catch(away);
