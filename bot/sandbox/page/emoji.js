// The emoji that messages here use, by Slack's names.
import { h } from "./dom.js";

const SIGNS = {
  alarm_clock: "⏰", arrow_forward: "▶️", arrows_counterclockwise: "🔄", ballot_box_with_ballot: "🗳️", bell: "🔔",
  bust_in_silhouette: "👤", calendar: "📅", clock3: "🕒", construction: "🚧", double_vertical_bar: "⏸️", eyes: "👀",
  grey_question: "❔", heavy_check_mark: "✔️", hourglass_flowing_sand: "⏳", information_source: "ℹ️", key: "🔑",
  leftwards_arrow_with_hook: "↩️", lock: "🔒", mag: "🔍", memo: "📝", no_entry: "⛔", no_entry_sign: "🚫",
  octagonal_sign: "🛑", raised_hand: "✋", rewind: "⏪", rotating_light: "🚨", ship: "🚢", snowflake: "❄️",
  sunny: "☀️", tada: "🎉", thumbsup: "👍", thumbsdown: "👎", "+1": "👍", "-1": "👎", unlock: "🔓", warning: "⚠️",
  white_check_mark: "✅", white_circle: "⚪", x: "❌",
};

/** The sign of a name, as text; `undefined` where the name is none of ours. */
export const sign = (name) => SIGNS[name];

/** The same as an element that is read aloud by its name. */
export function emoji(name) {
  const found = sign(name);
  return found && h("span", { class: "emoji", role: "img", "aria-label": name.replaceAll("_", " ") }, found);
}
