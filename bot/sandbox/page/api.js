// How this page speaks with the sandbox: JSON for what is done, a WebSocket for what happens.

const AGAIN_MS = 1000;
const LOOK_MS = 500;

export class RefusedError extends Error {}

export async function get(path) {
  return read(await fetch(path, { headers: { Accept: "application/json" } }));
}

export async function post(path, body) {
  return read(await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }));
}

async function read(answer) {
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new RefusedError(body.text ?? `The sandbox answered ${answer.status}.`);
  return body;
}

/**
 * Follow the changes of a WebSocket; `path(number)` is where it goes on after a change. `lost()` when it breaks, `back()`
 * when it stands again. Returns what ends it.
 */
export function follow(path, number, { hear, lost, back }) {
  let socket, timer, isLost = false, isOver = false;
  const open = () => {
    socket = new WebSocket(new URL(path(number), location.href).href.replace(/^http/, "ws"));
    socket.onopen = () => { if (isLost) back(); isLost = false; };
    socket.onmessage = (event) => { if (isOver) return; const change = JSON.parse(event.data); number = change.number; hear(change); };
    socket.onclose = () => {
      if (isOver) return;
      isLost = true;
      lost();
      timer = setTimeout(open, AGAIN_MS); // unlike an EventSource it does not come back by itself
    };
  };
  open();
  return () => {
    isOver = true;
    clearTimeout(timer);
    // One that is closed before it stands is an error on the console.
    if (socket.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close();
    else socket.close();
  };
}

/** Ask for something again and again while somebody sees the page; the rest is as with `follow`. */
export function watch(path, { hear, lost, back }) {
  let isLost = false;
  const look = async () => {
    try {
      if (!document.hidden) {
        hear(await get(path));
        if (isLost) back();
        isLost = false;
      }
    } catch {
      isLost = true;
      lost();
    }
    setTimeout(look, isLost ? AGAIN_MS : LOOK_MS);
  };
  look();
}

const FAULTS = {
  slack_is_down: "Slack is down: nothing can be sent, and nothing is delivered, until the switch “Slack down” is off.",
  operation_timeout: "The bot did not answer within three seconds; Slack gives up then. Try again when it serves.",
  dispatch_failed: "The bot cannot be reached. Try again when it serves.",
  is_archived: "The channel is archived.",
  user_not_found: "That person has left the workspace.",
};

/** What Slack shows for a fault, as a sentence. */
export function sentence(fault) {
  return FAULTS[fault] ?? `Slack says: ${fault.replaceAll("_", " ")}.`;
}
