// Modals that the bot opens, as dialogs.
import { post, sentence } from "./api.js";
import { byId, h } from "./dom.js";

const open = new Map();

/** Show a view, or show it anew. `me` fills it in. */
export function show(view, me) {
  close(view.id);
  const form = h("form", { class: "view", onsubmit: (event) => { event.preventDefault(); submit(view, form, me); } },
    h("h2", { id: `title-${view.id}` }, view.title.text),
    ...view.blocks.map(field),
    h("p", { class: "notice", role: "alert" }),
    h("div", { class: "buttons" },
      h("button", { type: "button", onclick: () => dismiss(view, me) }, view.close?.text ?? "Cancel"),
      h("button", { type: "submit", class: "primary" }, view.submit?.text ?? "Send")));
  const dialog = h("dialog", { "aria-labelledby": `title-${view.id}`, oncancel: () => dismiss(view, me) }, form);
  open.set(view.id, dialog);
  document.body.append(dialog);
  dialog.showModal();
}

/** Show exactly these: one that is open stays as it is filled in, and those of somebody else go. */
export function showOnly(views, me) {
  const ids = new Set(views.map((one) => one.id));
  for (const id of [...open.keys()].filter((one) => !ids.has(one))) close(id);
  for (const view of views.filter((one) => !open.has(one.id))) show(view, me);
}

/** It is closed, by whomever. */
export function close(id) {
  open.get(id)?.remove();
  if (open.delete(id)) byId("box").focus();
}

function dismiss(view, me) {
  close(view.id);
  post("/api/dismiss", { as: me, view_id: view.id }).catch(() => undefined); // it may have gone by itself
}

async function submit(view, form, me) {
  for (const slot of form.querySelectorAll(".fault")) slot.textContent = "";
  const notice = form.querySelector(".notice");
  notice.textContent = "";
  for (const control of form.querySelectorAll("[aria-invalid]")) control.removeAttribute("aria-invalid");
  try {
    const answer = await post("/api/submit", { as: me, view_id: view.id, values: values(view, form) });
    if (answer.error) notice.textContent = sentence(answer.error);
    else if (Object.keys(answer.errors).length) showFaults(form, answer.errors);
    else close(view.id);
  } catch (error) {
    notice.textContent = error.message;
  }
}

function showFaults(form, faults) {
  for (const [block, text] of Object.entries(faults)) {
    const place = form.querySelector(`[data-block="${CSS.escape(block)}"]`);
    (place?.querySelector(".fault") ?? form.querySelector(".notice")).textContent = text;
    place?.querySelector("input, select").setAttribute("aria-invalid", "true");
  }
  form.querySelector("[aria-invalid]")?.focus();
}

function values(view, form) {
  const inputs = view.blocks.filter((block) => block.type === "input");
  const filled = inputs.map((block) => [block.block_id, form.elements[`${block.block_id}/${block.element.action_id}`].value]);
  return Object.fromEntries(filled.filter(([, value]) => value !== ""));
}

function field(block) {
  if (block.type !== "input") return h("p", {}, block.text?.text ?? "");
  const { element, block_id: name } = block;
  const id = `field-${name}`;
  const props = { id, name: `${name}/${element.action_id}`, required: !block.optional, "aria-describedby": `${id}-hint ${id}-fault` };
  const control = element.type === "static_select"
    ? h("select", props, h("option", { value: "" }, "Choose …"), ...element.options.map((one) => h("option", { value: one.value }, one.text.text)))
    : h("input", { ...props, maxlength: element.max_length });
  if (element.initial_option) control.value = element.initial_option.value;
  if (element.initial_value) control.value = element.initial_value;
  return h("div", { class: "field", "data-block": name },
    h("label", { for: id }, block.label.text, block.optional && h("span", { class: "hint" }, " (optional)")),
    control,
    h("p", { class: "hint", id: `${id}-hint` }, block.hint?.text ?? ""),
    h("p", { class: "fault", id: `${id}-fault` }));
}
