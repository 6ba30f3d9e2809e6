/** What waits until there is a connection, in order and up to a bound; and what was sent, but not acknowledged yet. */
export class Outbox<Item> {
  readonly bound: number;
  readonly #waiting: Item[] = [];

  constructor(bound = 100) {
    this.bound = bound;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** Whether there was room for it. */
  add(item: Item): boolean {
    return this.#waiting.length < this.bound && this.#waiting.push(item) > 0;
  }

  /** Hands over what waits, the oldest first, until `send` can't send any more. */
  flush(send: (item: Item) => boolean): void {
    while (this.#waiting.length > 0 && send(this.#waiting[0] as Item)) this.#waiting.shift();
  }

  /** Puts back, at the front, what may not have arrived. */
  restore(items: readonly Item[]): void {
    this.#waiting.unshift(...items);
  }

  /** Takes out all there is. */
  clear(): Item[] {
    return this.#waiting.splice(0);
  }
}
