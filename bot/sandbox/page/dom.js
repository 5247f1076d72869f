// The few words in which this page makes elements. Text is always text: nothing is ever parsed as HTML.

/** An element. `props`: attributes; `on…` functions are listeners; `class`, `data-…` and `aria-…` as in HTML. */
export function h(tag, props = {}, ...children) {
  const made = tag === "svg" || tag === "path" ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export const byId = (id) => document.getElementById(id);

/** Replace the children of an element; what had the focus has it again if it is still there (by `data-key`). */
export function fill(place, ...children) {
  const focused = place.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  place.replaceChildren(...children.flat().filter(Boolean));
  if (focused) place.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

/** The same for one element that stands for another; where what had the focus has gone, the element itself has it. */
export function swap(old, made) {
  const focused = old.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  const open = new Set([...old.querySelectorAll("details[open]")].map((each) => each.dataset.key));
  old.replaceWith(made);
  for (const each of made.querySelectorAll("details")) each.open = open.has(each.dataset.key) || each.open;
  if (focused) heir(made, focused).focus({ preventScroll: true });
}

function heir(made, key) {
  made.tabIndex = -1;
  return made.querySelector(`[data-key="${CSS.escape(key)}"]`) ?? made;
}
