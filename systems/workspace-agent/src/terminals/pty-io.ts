/**
 * Pseudo terminals of this machine. The native part exists for some platforms only and is loaded when
 * the first terminal is wanted: without it, terminals are absent and all else works.
 *
 * Bytes are bytes here: what they mean is the screen's matter.
 */
import type { Clock } from "@atelier/base/clock";
import { fail, ok, type Result } from "@atelier/base/result";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import type { IPty } from "@lydell/node-pty";
import { writeSync } from "node:fs";
import { constants } from "node:os";
import type { ScreenSize } from "./screen.ts";
import type { TerminalSessions } from "./session-io.ts";

export type PtyOptions = {
  readonly file: string;
  readonly args: readonly string[];
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly size: ScreenSize;
};

export type PtyExit = { readonly exitCode: number | null; readonly signal: string | null };

export type PtyEvents = {
  onOutput(bytes: Uint8Array): void;
  /** Once, and nothing after it. */
  onExit(exit: PtyExit): void;
};

/** Starts a program. Throws when the machine cannot. */
export type StartPty = (options: PtyOptions, events: PtyEvents, deps: PtyDeps) => Pty;

export type PtyDeps = { readonly clock: Clock; readonly sessions: TerminalSessions };

/** Typed, but not yet read by the program. */
export const INPUT_BYTES_MAX = 1024 * 1024;

const RETRY_MS = 10;

/** As the name of the package says, of which each platform has its own part. */
const UNSUPPORTED: WorkspaceFailure = {
  code: "unsupported",
  message: `Terminals need the package @lydell/node-pty-${process.platform}-${process.arch} beside the workspace agent. Install it there, or use an agent that was built for this platform.`,
};

export async function loadPtys(): Promise<Result<StartPty, WorkspaceFailure>> {
  try {
    const { spawn } = await import("@lydell/node-pty");
    return ok((options, events, deps) => {
      const pty = spawn(options.file, [...options.args], {
        name: options.environment["TERM"] ?? "xterm-256color",
        cols: options.size.columns,
        rows: options.size.rows,
        cwd: options.directory,
        env: { ...options.environment },
        encoding: null,
      });
      return new Pty(pty, events, deps);
    });
  } catch {
    return fail(UNSUPPORTED);
  }
}

/** What the library keeps to itself on Unix. */
type UnixPty = {
  readonly fd?: number;
  readonly _socket?: { readonly destroyed: boolean };
  on?(event: "error", listener: (error: Error) => void): void;
};

export class Pty {
  readonly #pty: IPty;
  readonly #deps: PtyDeps;
  readonly #ended = Promise.withResolvers<void>();
  #hasEnded = false;
  #input: Uint8Array[] = [];
  #inputBytes = 0;
  #isWriting = false;
  #written: Promise<void> = Promise.resolve();

  constructor(pty: IPty, events: PtyEvents, deps: PtyDeps) {
    this.#pty = pty;
    this.#deps = deps;
    // With `encoding: null` it gives bytes, whatever its type says.
    pty.onData((data) => events.onOutput(data as unknown as Uint8Array));
    pty.onExit(({ exitCode, signal }) => {
      this.#hasEnded = true;
      this.#input = [];
      this.#inputBytes = 0;
      this.#ended.resolve();
      const name = signal === undefined || signal === 0 ? null : nameOfSignal(signal);
      events.onExit({ exitCode: name === null ? exitCode : null, signal: name });
    });
    // The library throws where nobody listens; the exit follows.
    this.#unix.on?.("error", () => {});
  }

  get pid(): number {
    return this.#pty.pid;
  }

  /** Resolves when the program has taken it, or has ended. Throws when too much waits for it. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#isClosed || bytes.byteLength === 0) return;
    if (this.#inputBytes + bytes.byteLength > INPUT_BYTES_MAX) {
      throw new Error("The program does not read what is typed.");
    }
    this.#input.push(bytes);
    this.#inputBytes += bytes.byteLength;
    if (!this.#isWriting) this.#written = this.#writeAll();
    await this.#written;
  }

  resize({ columns, rows }: ScreenSize): void {
    if (!this.#isClosed) this.#pty.resize(columns, rows);
  }

  /** Ends the program and all that it started in its session. Resolves when they are gone. */
  async kill(): Promise<void> {
    if (this.#hasEnded) return;
    if (process.platform === "win32") this.#pty.kill();
    else await this.#deps.sessions.end(this.#pty.pid);
    await this.#ended.promise;
  }

  get #unix(): UnixPty {
    return this.#pty as unknown as UnixPty;
  }

  /** The descriptor may by now belong to something else. */
  get #isClosed(): boolean {
    return this.#hasEnded || this.#unix._socket?.destroyed === true;
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    const never = new AbortController().signal;
    for (let next = this.#input[0]; next !== undefined; next = this.#input[0]) {
      const taken = this.#writeSome(next);
      if (taken === 0)
        await Promise.race([this.#deps.clock.sleep(RETRY_MS, never), this.#ended.promise]);
      if (this.#isClosed) break;
      this.#inputBytes -= taken;
      if (taken === next.byteLength) this.#input.shift();
      else this.#input[0] = next.subarray(taken);
    }
    this.#isWriting = false;
  }

  /**
   * Straight to the descriptor, which does not block: the library's own stream would try again and again
   * and hold up everything while a program does not read.
   */
  #writeSome(bytes: Uint8Array): number {
    if (this.#isClosed) return 0;
    const { fd } = this.#unix;
    if (fd === undefined) {
      this.#pty.write(Buffer.from(bytes).toString("utf8"));
      return bytes.byteLength;
    }
    try {
      return writeSync(fd, bytes);
    } catch {
      return 0; // It is full, or has just ended, which is said elsewhere.
    }
  }
}

function nameOfSignal(number: number): string {
  const found = Object.entries(constants.signals).find(([, each]) => each === number);
  return found?.[0] ?? `signal ${number}`;
}
