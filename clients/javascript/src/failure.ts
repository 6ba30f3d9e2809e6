/** Why a request was not carried out. */
export class CarillonError extends Error {
  override readonly name = "CarillonError";
  /**
   * The code of the server's refusal (`proto/asyncapi.yaml`), or of this side: `closed` (the connection is over), `unsubscribed`,
   * `queue_full` (too much waits for a connection), `uncertain` (the connection broke before the answer came).
   */
  readonly code: string;
  /** Whether the same request may succeed later. */
  readonly retry: boolean;
  /** In so many seconds. */
  readonly retryAfter: number | undefined;

  constructor(code: string, message: string, retry = false, retryAfter?: number) {
    super(message);
    this.code = code;
    this.retry = retry;
    this.retryAfter = retryAfter;
  }
}
