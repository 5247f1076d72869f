// How this page speaks with the sandbox: JSON for what is done, event streams for what happens.

export class RefusedError extends Error {}

export async function get(path) {
  return read(await fetch(path, { headers: { Accept: "application/json" } }));
}

export async function post(path, body) {
  return read(await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }));
}

async function read(answer) {
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new RefusedError(body.error ?? `The sandbox answered ${answer.status}.`);
  return body;
}

/** Follow an event stream; `hear(kind, body)` for each event. `lost()` when it is gone for good. The way to end it. */
export function follow(path, kinds, { hear, opened, lost }) {
  const source = new EventSource(path);
  for (const kind of kinds) source.addEventListener(kind, (event) => hear(kind, JSON.parse(event.data)));
  source.onopen = () => opened?.();
  source.onerror = () => lost?.(source.readyState === EventSource.CLOSED);
  return () => source.close();
}
