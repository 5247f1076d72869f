// Beside the channel: what the cluster runs, who gets the traffic, and what can be broken.
import { post } from "./api.js";
import { byId, fill, h } from "./dom.js";

const SIGNS = { ready: "●", starting: "◌", failing: "✕", ending: "◦" };

const told = new Map();
const held = new Map(); // a switch just thrown, and how many panels to come may not know of it yet

/** Make a part anew where what it shows has changed: what somebody reads or hears stays as it is. */
function renew(id, shown, make) {
  const text = JSON.stringify(shown);
  if (told.get(id) === text) return;
  told.set(id, text);
  fill(byId(id), ...make());
}

/** Show a panel as the sandbox tells it. `say(text)` is told what could not be done, or nothing when all went well. */
export function showPanel({ bot, namespaces, traffic, switches }, say) {
  renew("bot-state", bot, () => [h("span", { "aria-hidden": "true", class: `dot ${bot.state}` }), ` Bot: ${bot.said}`]);
  renew("cluster", namespaces, () => namespaces.map(namespace));
  renew("traffic", traffic, () => traffic.map(arm));
  showSwitches(switches, say);
}

/** Say that nobody tells any more; what is shown stays as it was last. */
export function showNobody() {
  renew("bot-state", null, () => [h("span", { "aria-hidden": "true", class: "dot down" }), " The sandbox does not answer"]);
}

/** What a newcomer may type. `offer(line)` puts it into the box. */
export function showTries(tries, offer) {
  fill(byId("tries"), ...tryList(tries, offer));
}

/** The same as list items. */
export function tryList(tries, offer) {
  return tries.map(({ line, about }) =>
    h("li", {}, h("button", { type: "button", class: "try", onclick: () => offer(line) }, h("code", {}, line), h("span", { class: "hint" }, about))));
}

function showSwitches(switches, say) {
  const place = byId("switches");
  if (place.childElementCount !== switches.length) fill(place, ...switches.map((one) => switchOf(one, say)));
  for (const { name, on } of switches) {
    const left = held.get(name) ?? 0;
    if (left) held.set(name, left - 1);
    else byId(`switch-${name}`).checked = on;
  }
  const broken = switches.filter((one) => one.on).length;
  renew("broken-count", broken, () => (broken ? [` · ${broken} broken`] : []));
}

function switchOf({ name, label, about }, say) {
  const change = (event) => {
    const box = event.target;
    held.set(name, Infinity);
    post("/api/switch", { name, on: box.checked })
      .then(() => say(""), (error) => { box.checked = !box.checked; say(error.message); })
      .finally(() => held.set(name, 1)); // the one that was under way
  };
  return h("div", { class: "switch", title: about },
    h("input", { type: "checkbox", role: "switch", id: `switch-${name}`, "data-switch": name, "aria-describedby": `about-${name}`, onchange: change }),
    h("label", { for: `switch-${name}` }, label),
    h("p", { class: "hint", id: `about-${name}` }, about));
}

function namespace({ name, deployments, routes }) {
  return h("section", { class: "namespace", "aria-label": `namespace ${name}` },
    h("h3", {}, name),
    ...deployments.map(deployment),
    ...routes.map(route));
}

function route({ service, shares }) {
  const said = shares.map((one) => `${one.to} ${one.weight} %`).join(", ");
  return h("div", { class: "route" },
    h("p", {}, h("span", { class: "hint" }, `traffic of ${service}: `), said),
    h("div", { class: "bar-of", "aria-hidden": "true" }, ...shares.map((one, at) => part(one.weight, at))));
}

// Set through the object model: the page's policy allows no style attribute in its source.
function part(weight, at) {
  const made = h("span", { class: `part part-${at}` });
  made.style.flexGrow = String(weight);
  return made;
}

function deployment({ name, version, ready, wanted, pods, revision }) {
  return h("div", { class: "deployment" },
    h("p", {}, h("strong", {}, name), " ", h("code", {}, version), h("span", { class: "hint" }, ` rev. ${revision} · ${ready} of ${wanted} ready`)),
    h("ul", { class: "pods", "aria-label": `pods of ${name}` }, ...pods.map((one) => pod(one, version))));
}

// A pod that is as its Deployment says is a sign; what differs from that is said.
function pod({ name, state, said, version, restarts }, wanted) {
  const isUsual = state === "ready" && version === wanted && !restarts;
  const more = restarts ? `, ${restarts} ${restarts === 1 ? "restart" : "restarts"}` : "";
  return h("li", { class: `${state}${isUsual ? " usual" : ""}`, title: `${name}: ${version} ${said}${more}` },
    h("span", { "aria-hidden": "true" }, SIGNS[state]),
    h("span", { class: isUsual ? "unseen" : "" }, " ", version !== wanted && h("code", {}, version), ` ${said}${more}`));
}

const BAD = 0.05; // a share of errors that nobody should overlook

function arm({ service, namespace: where, name, rate, errors, p95_ms: p95, history }) {
  const share = `${(errors * 100).toFixed(1)} %`;
  return h("tr", { class: name },
    h("th", { scope: "row" }, name === "canary" ? `${service} canary` : service, h("span", { class: "hint" }, ` ${where}`)),
    h("td", {}, rate ? rate.toFixed(0) : "none"),
    h("td", { class: errors >= BAD ? "bad" : "" }, rate ? share : "–"),
    h("td", {}, p95 ? `${p95.toFixed(0)} ms` : "–"),
    h("td", {}, sparkline(history, `Share of errors of ${service} ${name} in ${where} over the last minutes, now ${share}`)));
}

function sparkline(values, label) {
  const most = Math.max(0.05, ...values);
  const points = values.map((value, at) => `${((at / Math.max(1, values.length - 1)) * 100).toFixed(1)},${(19 - (value / most) * 18).toFixed(1)}`);
  return h("svg", { viewBox: "0 0 100 20", preserveAspectRatio: "none", role: "img", "aria-label": label, class: "spark" },
    h("path", { d: points.length ? `M${points.join("L")}` : "", fill: "none", "vector-effect": "non-scaling-stroke" }));
}
