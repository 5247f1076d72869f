// What the channel holds, as one person sees it: a snapshot, and the changes after it. No element is touched here.

export class State {
  constructor(snapshot) {
    this.me = snapshot.me;
    this.people = new Map(snapshot.people.map((one) => [one.id, one]));
    this.groups = new Map(snapshot.groups.map((one) => [one.id, one]));
    this.rooms = new Map(snapshot.channels.map((one) => [one.id, one]));
    this.messages = new Map(snapshot.channels.map((one) => [one.id, new Map(one.messages.map((each) => [each.ts, each]))]));
    this.views = snapshot.views;
  }

  /** Take in one change; what it touched: `{room, ts, thread}`, or nothing. */
  take(change) {
    const room = this.messages.get(change.channel?.id ?? change.channel);
    switch (change.kind) {
      case "message":
      case "edited":
        if (!room) return undefined;
        room.set(change.ts, change.message);
        return this.#touched(change);
      case "deleted": {
        const touched = this.#touched(change);
        room?.delete(change.ts);
        return touched;
      }
      case "reaction": {
        const message = room?.get(change.ts);
        if (message) room.set(change.ts, { ...message, reactions: change.reactions });
        return this.#touched(change);
      }
      case "channel":
        this.rooms.set(change.channel.id, { ...this.rooms.get(change.channel.id), ...change.channel });
        if (!room) this.messages.set(change.channel.id, new Map());
        return { room: change.channel.id, rooms: true };
      default:
        return undefined;
    }
  }

  #touched({ channel, ts }) {
    return { room: channel, ts, thread: this.messages.get(channel)?.get(ts)?.thread_ts };
  }

  /** Messages of a channel that are not replies, oldest first. */
  top(room) {
    return this.#sorted(room).filter((one) => !one.thread_ts || one.thread_ts === one.ts);
  }

  /** A thread: its first message and the replies. */
  thread(room, ts) {
    return this.#sorted(room).filter((one) => one.ts === ts || one.thread_ts === ts);
  }

  replies(room, ts) {
    return this.thread(room, ts).length - 1;
  }

  #sorted(room) {
    return [...(this.messages.get(room)?.values() ?? [])].sort((one, other) => (one.ts < other.ts ? -1 : 1));
  }

  /** Names by id, as texts need them. */
  get names() {
    return {
      person: (id) => this.people.get(id)?.name ?? id,
      room: (id) => this.rooms.get(id)?.name ?? id,
      group: (id) => this.groups.get(id)?.handle ?? id,
    };
  }
}
