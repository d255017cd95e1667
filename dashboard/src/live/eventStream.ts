/**
 * A server-sent event connection that stays up. The browser's EventSource reconnects by itself, with Last-Event-ID, while
 * the connection merely breaks; it gives up for good when the server answers with an error, so here it is opened anew then.
 *
 *   connecting -> live <-> reconnecting -> polling -> live
 *
 * "polling" means: down for longer than kPollAfterMs; the owner asks for snapshots until "live" is reached again, and
 * attempts go on meanwhile.
 */
export type StreamState = "connecting" | "live" | "reconnecting" | "polling";

export const kPollAfterMs = 5_000;
export const kRetryMs = [1_000, 2_000, 4_000, 8_000, 15_000] as const;
/** A stream whose heartbeats stop for so long is dead even when the connection looks open. */
export const kSilenceMs = 45_000;

/** The part of EventSource that is used, so that tests can bring their own. */
export interface EventSourceLike {
  readyState: number;
  onopen: (() => void) | null;
  onerror: (() => void) | null;
  addEventListener(type: string, listener: (event: { data: string; lastEventId: string }) => void): void;
  close(): void;
}

export interface StreamCallbacks {
  onUpdate: (data: string, id: string) => void;
  onState: (state: StreamState) => void;
  /** The server has left updates out: the current state has to be asked for. */
  onGap: () => void;
}

const kClosed = 2;

export class EventStream {
  private source: EventSourceLike | null = null;
  private state: StreamState = "connecting";
  private attempt = 0;
  private retryTimer: ReturnType<typeof setTimeout> | null = null;
  private pollTimer: ReturnType<typeof setTimeout> | null = null;
  private silenceTimer: ReturnType<typeof setTimeout> | null = null;
  private sawHeartbeat = false;
  private stopped = false;

  constructor(
    private readonly url: string,
    private readonly callbacks: StreamCallbacks,
    private readonly open: (url: string) => EventSourceLike = (at) => new EventSource(at) as unknown as EventSourceLike,
  ) {}

  start(): void {
    this.armPolling();
    this.connect();
  }

  stop(): void {
    this.stopped = true;
    for (const timer of [this.retryTimer, this.pollTimer, this.silenceTimer]) if (timer) clearTimeout(timer);
    this.source?.close();
    this.source = null;
  }

  private connect(): void {
    if (this.stopped) return;
    this.source?.close();
    const source = this.open(this.url);
    this.source = source;
    source.onopen = () => this.onOpen(source);
    source.onerror = () => this.onError(source);
    source.addEventListener("update", (event) => {
      if (this.source !== source) return;
      this.noteSign();
      this.callbacks.onUpdate(event.data, event.lastEventId);
    });
    source.addEventListener("gap", () => {
      if (this.source !== source) return;
      this.noteSign();
      this.callbacks.onGap();
    });
    source.addEventListener("heartbeat", () => {
      if (this.source !== source) return;
      this.sawHeartbeat = true;
      this.noteSign();
    });
  }

  private onOpen(source: EventSourceLike): void {
    if (this.source !== source) return;
    this.attempt = 0;
    if (this.pollTimer) clearTimeout(this.pollTimer);
    this.pollTimer = null;
    this.noteSign();
    this.enter("live");
  }

  private onError(source: EventSourceLike): void {
    if (this.source !== source || this.stopped) return;
    if (this.silenceTimer) clearTimeout(this.silenceTimer);
    this.silenceTimer = null;
    if (this.state === "live") this.enter("reconnecting");
    this.armPolling();
    if (source.readyState !== kClosed) return;
    this.reconnectLater();
  }

  private reconnectLater(): void {
    if (this.retryTimer) clearTimeout(this.retryTimer);
    const delay = kRetryMs[Math.min(this.attempt, kRetryMs.length - 1)] ?? kRetryMs[0];
    this.attempt += 1;
    this.retryTimer = setTimeout(() => this.connect(), delay);
  }

  private armPolling(): void {
    if (this.pollTimer || this.state === "polling") return;
    this.pollTimer = setTimeout(() => {
      this.pollTimer = null;
      this.enter("polling");
    }, kPollAfterMs);
  }

  private noteSign(): void {
    if (this.silenceTimer) clearTimeout(this.silenceTimer);
    this.silenceTimer = null;
    // A server that has never sent a heartbeat may simply have nothing to say; only one that stopped is taken for dead.
    if (!this.sawHeartbeat) return;
    this.silenceTimer = setTimeout(() => {
      this.source?.close();
      this.enter("reconnecting");
      this.armPolling();
      this.reconnectLater();
    }, kSilenceMs);
  }

  private enter(next: StreamState): void {
    if (this.state === next || this.stopped) return;
    this.state = next;
    this.callbacks.onState(next);
  }
}
