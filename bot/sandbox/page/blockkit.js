// Block Kit as elements, as far as the bot writes it: https://docs.slack.dev/reference/block-kit
import { h } from "./dom.js";
import { mrkdwn } from "./mrkdwn.js";

/** What a message shows: its blocks, else its text. `press(button, block)` is called for a click that counts. */
export function body(message, { names, press }) {
  if (!message.blocks?.length) return [h("p", { class: "text" }, ...mrkdwn(message.text, names))];
  return message.blocks.map((block) => blockOf(block, message, { names, press }));
}

function blockOf(block, message, tools) {
  switch (block.type) {
    case "section":
      return h("p", { class: "text" }, ...textOf(block.text, tools.names));
    case "header":
      return h("h3", {}, ...textOf(block.text, tools.names));
    case "context":
      return h("div", { class: "context" }, ...block.elements.map((one) => h("p", {}, ...textOf(one, tools.names))));
    case "divider":
      return h("hr");
    case "actions":
      return h("div", { class: "actions" }, ...block.elements.map((one) => button(one, block, message, tools)));
    default:
      return h("p", { class: "text" }, `[a block of the type ${block.type} is not shown here]`);
  }
}

function textOf(object, names) {
  return mrkdwn(object.type === "plain_text" ? object.text.replaceAll("&", "&amp;").replaceAll("<", "&lt;") : object.text, names);
}

function button(one, block, message, { press }) {
  const click = async () => {
    if (!one.confirm || (await confirmed(one.confirm))) press(one, block);
  };
  const key = `${message.ts}/${one.action_id}`;
  return h("button", { type: "button", class: one.style ?? "", "data-key": key, "data-action": one.action_id, onclick: click }, one.text.text);
}

/** Ask as Slack does before a click counts. */
function confirmed({ title, text, confirm, deny, style }) {
  return new Promise((resolve) => {
    const dialog = h("dialog", { class: "confirm", "aria-labelledby": "confirm-title", onclose: () => { dialog.remove(); resolve(dialog.returnValue === "yes"); } },
      h("form", { method: "dialog" },
        h("h2", { id: "confirm-title" }, title.text),
        h("p", {}, text.text),
        h("div", { class: "buttons" },
          h("button", { value: "no" }, deny.text),
          h("button", { value: "yes", class: `primary ${style ?? ""}` }, confirm.text))));
    document.body.append(dialog);
    dialog.showModal();
  });
}
