// Slack's mrkdwn as elements: https://docs.slack.dev/messaging/formatting-message-text
import { h } from "./dom.js";
import { emoji } from "./emoji.js";

const SPAN = /```([\s\S]+?)```|`([^`\n]+)`|<([^<>\n]+)>|(?<![\w*])\*(?=\S)([^*\n]*\S)\*(?![\w*])|(?<![\w_])_(?=\S)([^_\n]*\S)_(?![\w_])|(?<![\w~])~(?=\S)([^~\n]*\S)~(?![\w~])|:([a-z0-9_+-]+):/g;

/** A text as nodes. `names` knows people, groups and channels by id. */
export function mrkdwn(text, names) {
  return quoted(String(text ?? ""), names);
}

function quoted(text, names) {
  const found = [];
  let quote = null;
  for (const line of text.split("\n")) {
    const isQuote = /^(>|&gt;) ?/.test(line);
    if (isQuote) {
      quote ??= found[found.push(h("blockquote")) - 1];
      if (quote.childNodes.length) quote.append("\n");
      quote.append(...spans(line.replace(/^(>|&gt;) ?/, ""), names));
    } else {
      if (found.length && !(quote && line === "")) found.push(quote ? "" : "\n");
      quote = null;
      found.push(line);
    }
  }
  return joined(found).flatMap((part) => (typeof part === "string" ? spans(part, names) : [part]));
}

// Lines between quotes are one text again: a code block may go over several.
function joined(parts) {
  const found = [];
  for (const part of parts) {
    if (typeof part === "string" && typeof found.at(-1) === "string") found[found.length - 1] += part;
    else found.push(part);
  }
  return found;
}

function spans(text, names) {
  const found = [];
  let at = 0;
  for (const match of text.matchAll(SPAN)) {
    found.push(after(found.at(-1), plain(text.slice(at, match.index))), span(match, names));
    at = match.index + match[0].length;
  }
  found.push(after(found.at(-1), plain(text.slice(at))));
  return found.filter((part) => part !== "");
}

// A name, a seal or a version stays on one line; a command may need two.
const WHOLE = 24;
const isWhole = (code) => code.length <= WHOLE && !code.includes(" ");

// A sign stays on the line of the word that it is about.
const after = (before, text) => (before?.className === "emoji" ? text.replace(/^ (?! )/, "\u00a0") : text);

function span([all, block, code, link, bold, italic, struck, name], names) {
  if (block !== undefined) return h("pre", {}, plain(block.replace(/^\n/, "")));
  if (code !== undefined) return h("code", { class: isWhole(code) && "whole" }, plain(code));
  if (link !== undefined) return special(link, names);
  if (bold !== undefined) return h("strong", {}, ...spans(bold, names));
  if (italic !== undefined) return h("em", {}, ...spans(italic, names));
  if (struck !== undefined) return h("s", {}, ...spans(struck, names));
  return emoji(name) ?? all;
}

function special(inside, names) {
  const [target, label] = inside.split("|");
  if (target.startsWith("@")) return mention(`@${names.person(target.slice(1))}`);
  if (target.startsWith("#")) return mention(`#${names.room(target.slice(1))}`);
  if (target.startsWith("!subteam^")) return mention(`@${names.group(target.slice(9))}`);
  if (target.startsWith("!date^")) return plain(label ?? target);
  if (target.startsWith("!")) return mention(`@${target.slice(1)}`);
  if (!/^(https?:|mailto:)/.test(target)) return plain(label ?? target);
  return h("a", { href: plain(target), target: "_blank", rel: "noreferrer" }, plain(label ?? target));
}

const mention = (text) => h("span", { class: "mention" }, text);
const plain = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
