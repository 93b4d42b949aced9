/**
 * Pings all open WebSockets and ends those that do not answer: one timer for all, because a timer of its
 * own would be a good part of what an idle socket costs. They take turns, so that many do not keep the
 * process from everything else.
 */
import type { Clock } from "@atelier/base/clock";
import { WebSocket } from "ws";

const PING_EVERY_MS = 10_000;
const TURNS = 20;

export class SocketPulse {
  readonly #clock: Clock;
  /** By the turn in which they are pinged: whether each was heard since it was pinged last. */
  readonly #turns: readonly Map<WebSocket, boolean>[] = Array.from(
    { length: TURNS },
    () => new Map(),
  );
  #turn = 0;
  #beating: AbortController | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Until disposed. */
  keep(socket: WebSocket): Disposable {
    // The turn that was last comes again after the whole pause.
    const turn = this.#turns[this.#turn];
    turn?.set(socket, true);
    const hear = (): void => {
      turn?.set(socket, true);
    };
    socket.on("pong", hear).on("message", hear);
    this.#beating ??= this.#beat();
    return {
      [Symbol.dispose]: () => {
        socket.off("pong", hear).off("message", hear);
        turn?.delete(socket);
        if (this.#turns.every(({ size }) => size === 0)) {
          this.#beating?.abort();
          this.#beating = null;
        }
      },
    };
  }

  #beat(): AbortController {
    const stop = new AbortController();
    const beat = async (): Promise<void> => {
      for (;;) {
        await this.#clock.sleep(PING_EVERY_MS / TURNS, stop.signal);
        this.#turn = (this.#turn + 1) % TURNS;
        this.#ping();
      }
    };
    beat().catch(() => {}); // Nothing is open any more.
    return stop;
  }

  #ping(): void {
    const turn = this.#turns[this.#turn] ?? new Map<WebSocket, boolean>();
    for (const [socket, isHeard] of turn) {
      // Nobody reads from a paused socket, so it cannot be heard.
      if (!isHeard && !socket.isPaused) {
        socket.terminate();
        continue;
      }
      turn.set(socket, false);
      if (socket.readyState === WebSocket.OPEN) socket.ping();
    }
  }
}
