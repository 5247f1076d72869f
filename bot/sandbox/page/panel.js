// Beside the channel: what the cluster runs, who gets the traffic, and what can be broken.
import { post } from "./api.js";
import { byId, fill, h } from "./dom.js";

const SIGNS = { ready: "●", starting: "◌", failing: "✕", ending: "◦" };

/** Show a panel as the sandbox tells it. `fail(error)` is told what could not be done. */
export function showPanel(panel, fail) {
  const bot = byId("bot-state");
  fill(bot, h("span", { "aria-hidden": "true", class: `dot ${panel.bot.state}` }), ` Bot: ${panel.bot.said}`);
  fill(byId("cluster"), ...panel.namespaces.map(namespace));
  fill(byId("traffic"), ...panel.traffic.map(arm));
  showSwitches(panel.switches, fail);
}

/** What a newcomer may type. `offer(line)` puts it into the box. */
export function showTries(tries, offer) {
  fill(byId("tries"), ...tries.map(({ line, about }) =>
    h("li", {}, h("button", { type: "button", class: "try", onclick: () => offer(line) }, h("code", {}, line)), h("span", { class: "hint" }, about))));
}

function showSwitches(switches, fail) {
  const place = byId("switches");
  if (place.childElementCount !== switches.length) {
    fill(place, ...switches.map(({ name, label, about }) => h("div", { class: "switch" },
      h("input", { type: "checkbox", role: "switch", id: `switch-${name}`, "data-switch": name, "aria-describedby": `about-${name}`,
        onchange: (event) => post("/api/switch", { name, on: event.target.checked }).catch(fail) }),
      h("label", { for: `switch-${name}` }, label), h("p", { class: "hint", id: `about-${name}` }, about))));
  }
  for (const { name, on } of switches) byId(`switch-${name}`).checked = on;
}

function namespace({ name, deployments, routes }) {
  return h("section", { class: "namespace", "aria-label": `namespace ${name}` },
    h("h3", {}, name),
    ...routes.map(route),
    ...deployments.map(deployment));
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
    h("p", {}, h("strong", {}, name), " ", h("code", {}, version), h("span", { class: "hint" }, ` revision ${revision} · ${ready} of ${wanted} ready`)),
    h("ul", { class: "pods" }, ...pods.map(pod)));
}

function pod({ name, state, said, version, restarts }) {
  const more = restarts ? `, ${restarts} restarts` : "";
  return h("li", { class: state, title: name }, h("span", { "aria-hidden": "true" }, SIGNS[state]), " ", h("code", {}, version), ` ${said}${more}`);
}

function arm({ service, namespace: where, name, rate, errors, p95_ms: p95, history }) {
  const figures = rate ? `${rate.toFixed(0)} requests/s · errors ${(errors * 100).toFixed(1)} % · p95 ${p95 ? `${p95.toFixed(0)} ms` : "–"}` : "no requests";
  return h("div", { class: "arm" },
    h("p", {}, h("strong", {}, `${service} ${name}`), h("span", { class: "hint" }, ` ${where}`)),
    h("p", {}, figures),
    sparkline(history, `Share of errors of ${service} ${name} over the last minutes, now ${(errors * 100).toFixed(1)} %`));
}

function sparkline(values, label) {
  const most = Math.max(0.05, ...values);
  const points = values.map((value, at) => `${((at / Math.max(1, values.length - 1)) * 100).toFixed(1)},${(19 - (value / most) * 18).toFixed(1)}`);
  return h("svg", { viewBox: "0 0 100 20", preserveAspectRatio: "none", role: "img", "aria-label": label, class: "spark" },
    h("path", { d: points.length ? `M${points.join("L")}` : "", fill: "none", "vector-effect": "non-scaling-stroke" }));
}
