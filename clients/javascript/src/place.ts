type Heads = readonly { name: string; offset: number }[];

/** Where in its channels' logs a client is, so that it can come back to there. */
export class Place {
  /** A place that the application has brought along, until a greeting says what its offsets are of. */
  readonly #brought: string | undefined;
  #epoch: string | undefined;
  /** In the order of the greeting, which is that of `since`. */
  #offsets = new Map<string, number>();
  /** What a greeting says, while it is open whether what was missed follows. */
  #offered: [string, Map<string, number>] | undefined;

  constructor(brought?: string) {
    this.#brought = brought;
  }

  /** The value of `since`: empty for a client that has no place yet, and asks for one. */
  get since(): string {
    return this.#epoch === undefined ? (this.#brought ?? "") : [this.#epoch, ...this.#offsets.values()].join(".");
  }

  /** The last offset of each channel. */
  get offsets(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#offsets);
  }

  /** A greeting's `epoch` and `channels`. One that comes back keeps its own place until `recovery` says otherwise. */
  greeted(epoch: string, channels: Heads): void {
    this.#offered = [epoch, new Map(channels.map(({ name, offset }) => [name, offset]))];
    if (this.#epoch !== undefined) return;
    if (this.#brought) this.#bring(this.#brought, channels);
    else this.recovered(false);
  }

  /** Whether what was missed follows. If not, it goes on from where the channels are now. */
  recovered(recovered: boolean): void {
    if (!recovered && this.#offered) [this.#epoch, this.#offsets] = this.#offered;
    this.#offered = undefined;
  }

  /** Whether an event is new here; it is the last one then. */
  advance(channel: string, offset: number): boolean {
    if (offset <= (this.#offsets.get(channel) ?? 0)) return false;
    if (this.#offsets.has(channel)) this.#offsets.set(channel, offset);
    return true;
  }

  #bring(brought: string, channels: Heads): void {
    const [epoch, ...offsets] = brought.split(".");
    this.#epoch = epoch;
    this.#offsets = new Map(channels.map(({ name }, index) => [name, Number(offsets[index] ?? 0)]));
  }
}
