import { CarillonError } from "./failure.js";
import type { Id } from "./frames/index.js";

/** A request, but for its id. */
export interface Request {
  readonly type: string;
  readonly channel?: string;
  readonly data?: Record<string, unknown>;
  readonly [field: string]: unknown;
}

export type Answer = Record<string, unknown>;

interface Pending {
  readonly id: number;
  readonly request: Request;
  sent: boolean;
  readonly then: Outcome;
}

/** What becomes of a request; told in the order in which frames come. */
export interface Outcome {
  answered(answer: Answer): void;
  refused(error: CarillonError): void;
}

/** As many requests as a frame may have, and as long as one should be. */
const BATCH = 100;
const BATCH_LENGTH = 32_768;

/** Requests that are to be sent or answered. Those of one moment leave as one frame. */
export class Requests {
  readonly #bound: number;
  readonly #transmit: (text: string) => boolean;
  readonly #pending = new Map<Id, Pending>();
  #number = 0;
  #flushing = false;

  constructor(bound = 100, transmit: (text: string) => boolean) {
    this.#bound = bound;
    this.#transmit = transmit;
  }

  /** Whether there is room for one more while there is no connection. */
  get full(): boolean {
    return this.#pending.size >= this.#bound;
  }

  /** Sends a request, now or when there is a connection, and tells what becomes of it. */
  add(request: Request, then: Outcome): void {
    const id = ++this.#number;
    this.#pending.set(id, { id, request, sent: false, then });
    this.#soon();
  }

  /** Gives a request its answer, which may be a refusal. */
  answered(frame: Answer): boolean {
    const pending = this.#pending.get(frame.id as Id);
    if (!pending) return false;
    this.#pending.delete(pending.id);
    const { code, message, retry, retry_after } = frame;
    if (frame.type !== "error") pending.then.answered(frame);
    else pending.then.refused(new CarillonError(String(code), String(message), Boolean(retry), retry_after as number | undefined));
    return true;
  }

  /** The connection broke: what may be repeated is, when there is another; of the rest nobody knows. */
  interrupted(): void {
    for (const pending of [...this.#pending.values()]) {
      const { type, data } = pending.request;
      const repeatable = type === "history" || type === "presence" || data?.client_id !== undefined;
      if (type === "subscribe" || type === "unsubscribe") this.#pending.delete(pending.id);
      else if (!pending.sent || repeatable) pending.sent = false;
      else this.#fail(pending, new CarillonError("uncertain", "the connection broke before the answer came", true));
    }
  }

  /** Nothing of a channel, or of any, is answered any more. */
  abandon(error: CarillonError, channel?: string): void {
    for (const pending of [...this.#pending.values()]) {
      if (channel === undefined || pending.request.channel === channel) this.#fail(pending, error);
    }
  }

  /** Sends what hasn't been. */
  flush(): void {
    let batch: string[] = [];
    let length = 0;
    const waiting = [...this.#pending.values()].filter(({ sent }) => !sent).sort((one, other) => rank(one) - rank(other));
    let begun = 0;
    for (const [index, { id, request }] of waiting.entries()) {
      const text = JSON.stringify({ id, ...request });
      batch.push(text);
      length += text.length;
      const last = index === waiting.length - 1;
      if (!last && batch.length < BATCH && length < BATCH_LENGTH) continue;
      if (!this.#transmit(batch.length === 1 ? text : `[${batch.join(",")}]`)) return;
      for (; begun <= index; begun += 1) (waiting[begun] as Pending).sent = true;
      batch = [];
      length = 0;
    }
  }

  #soon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.flush();
    });
  }

  #fail(pending: Pending, error: CarillonError): void {
    this.#pending.delete(pending.id);
    pending.then.refused(error);
  }
}

/** A subscription comes before what waits for it, and after the end of an earlier one. */
function rank({ request }: Pending): number {
  return ["unsubscribe", "subscribe"].indexOf(request.type) + 1 || 3;
}
