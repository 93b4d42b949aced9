/**
 * One terminal: a program, the screen it writes to, and those who look at it. It outlives its viewers,
 * and its screen outlives its program for a while.
 *
 * Each piece of output is on the screen before any viewer gets it, and a viewer begins between two
 * pieces: so nobody misses anything or gets it twice.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { ByteChannel } from "@atelier/contract/rpc/workspace/operation";
import type { TerminalInfo } from "@atelier/contract/rpc/workspace/terminals";
import type { Piece } from "./output-splitter.ts";
import type { Pty, PtyDeps, PtyExit, PtyOptions, StartPty } from "./pty-io.ts";
import { Screen, type ScreenSize } from "./screen.ts";
import { Viewer } from "./viewer.ts";

export type TerminalDeps = PtyDeps & { readonly log: Logger };

export class Terminal {
  readonly id: string;
  readonly #command: string;
  readonly #clock: Clock;
  readonly #startedAt: Date;
  readonly #screen: Screen;
  readonly #pty: Pty;
  readonly #exited = Promise.withResolvers<void>();
  #exit: PtyExit | null = null;
  /** Who came or typed last comes last, and is asked what only a viewer knows. */
  #viewers: readonly Viewer[] = [];
  #activeAtMs: number;

  constructor(
    startPty: StartPty,
    {
      id,
      command,
      pty,
    }: { readonly id: string; readonly command: string; readonly pty: PtyOptions },
    deps: TerminalDeps,
  ) {
    const { clock, log } = deps;
    this.id = id;
    this.#command = command;
    this.#clock = clock;
    this.#startedAt = clock.now();
    this.#activeAtMs = clock.monotonicMs();
    this.#screen = new Screen(pty.size, {
      onAnswer: (text) => this.#answer(text),
      onFault: (error) => {
        log.error({ error, terminalId: id }, "a terminal's output could not be read");
        for (const viewer of this.#viewers) viewer.resynchronize();
      },
    });
    const events = {
      onOutput: (bytes: Uint8Array): void => this.#show(this.#screen.write(bytes)),
      onExit: (exit: PtyExit): void => this.#end(exit),
    };
    this.#pty = startPty(pty, events, deps);
  }

  get hasExited(): boolean {
    return this.#exit !== null;
  }

  get viewerCount(): number {
    return this.#viewers.length;
  }

  /** How long nobody has looked, typed or written. 0 while somebody looks. */
  get idleMs(): number {
    return this.#viewers.length > 0 ? 0 : this.#clock.monotonicMs() - this.#activeAtMs;
  }

  info(): TerminalInfo {
    return {
      id: this.id,
      command: this.#command,
      pid: this.#pty.pid,
      ...this.#screen.size,
      viewers: this.#viewers.length,
      title: this.#screen.title,
      startedAt: this.#startedAt.toISOString(),
      state: this.#exit === null ? "running" : "exited",
      exitCode: this.#exit?.exitCode ?? null,
      signal: this.#exit?.signal ?? null,
    };
  }

  /** Breaks with the signal's reason when that aborts. */
  attach(size: ScreenSize, signal: AbortSignal): ByteChannel {
    const viewer: Viewer = new Viewer({
      snapshot: () => Buffer.from(this.#screen.snapshot()),
      type: async (bytes) => {
        this.#viewers = [...this.#viewers.filter((each) => each !== viewer), viewer];
        this.#touch();
        await this.#pty.write(bytes);
      },
      onGone: () => {
        signal.removeEventListener("abort", stop);
        this.#viewers = this.#viewers.filter((each) => each !== viewer);
        this.#touch();
      },
    });
    const stop = (): void => viewer.break(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    if (this.#exit === null) {
      this.resize(size);
      this.#viewers = [...this.#viewers, viewer];
    } else {
      viewer.end();
    }
    return viewer.channel();
  }

  resize(size: ScreenSize): void {
    if (this.#exit !== null) return;
    const piece = this.#screen.resize(size);
    if (piece === null) return;
    this.#pty.resize(size);
    this.#show([piece]);
  }

  /** Ends the program. Viewers get what it wrote last, and their end. */
  async close(): Promise<void> {
    await this.#pty.kill();
    await this.#exited.promise;
  }

  #show(pieces: readonly Piece[]): void {
    this.#activeAtMs = this.#clock.monotonicMs();
    for (const { text, audience } of pieces) {
      if (audience === "agent") continue;
      const bytes = Buffer.from(text);
      for (const viewer of audience === "one" ? this.#viewers.slice(-1) : this.#viewers) {
        viewer.offer(bytes);
      }
    }
  }

  #answer(text: string): void {
    // A program that asks and does not read gets no answer.
    this.#pty.write(Buffer.from(text)).catch(() => {});
  }

  #touch(): void {
    this.#activeAtMs = this.#clock.monotonicMs();
  }

  #end(exit: PtyExit): void {
    this.#show(this.#screen.end());
    this.#exit = exit;
    for (const viewer of this.#viewers) viewer.end();
    this.#exited.resolve();
  }
}
