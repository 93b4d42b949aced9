/**
 * The terminals of a workspace (contract, workspace/terminals). They live as long as the agent: when it
 * ends, they end, unlike processes.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import { fail, ok, type Result } from "@atelier/base/result";
import { implement } from "@atelier/contract/rpc/workspace/implement";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import {
  TERMINAL_OPERATIONS,
  type WorkspaceTerminals,
} from "@atelier/contract/rpc/workspace/terminals";
import { access, constants, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { loadPtys, type PtyOptions, type StartPty } from "./pty-io.ts";
import type { ScreenSize } from "./screen.ts";
import { TerminalSessions } from "./session-io.ts";
import { Terminal, type TerminalDeps } from "./terminal-io.ts";

export const TERMINALS_MAX = 256;
export const VIEWERS_MAX = 64;
/** For a last look at a program that has ended. */
export const EXITED_KEPT_MS = 5 * 60_000;
const EXITED_MAX = 64;
const SWEEP_MS = 5_000;
const FALLBACK_SHELL = "/bin/sh";

export type TerminalsOptions = {
  readonly homeDirectory: string;
  /** Where programs start. While it does not exist: in the home directory. */
  readonly workspaceDirectory: string;
  /** The user's own. */
  readonly shell: string;
  /** Of every program, without anything secret. */
  readonly baseEnvironment: Readonly<Record<string, string>>;
  /** A terminal that nobody looks at and that writes nothing is ended after this long. Null: never. */
  readonly idleTimeoutMs: number | null;
  readonly clock: Clock;
  readonly log: Logger;
  /** Given by tests; else what this machine has. */
  readonly loadPtys?: () => Promise<Result<StartPty, WorkspaceFailure>>;
};

export interface Terminals extends AsyncDisposable {
  readonly service: WorkspaceTerminals;
  /** Whether this machine can have terminals at all. */
  readonly isAvailable: boolean;
}

export async function openTerminals(options: TerminalsOptions): Promise<Terminals> {
  const startPty = await (options.loadPtys ?? loadPtys)();
  if (!startPty.ok) options.log.warn({ reason: startPty.failure.message }, "no terminals here");
  const set = new TerminalSet(startPty, options);
  const service = implement(TERMINAL_OPERATIONS, {
    attach: (input, signal) => set.attach(input, signal),
    resize: async ({ id, ...size }) =>
      set.withTerminal(id, async (terminal) => {
        terminal.resize(size);
        return {};
      }),
    get: async ({ id }) => set.withTerminal(id, async (terminal) => terminal.info()),
    list: async () => ok({ terminals: set.list().map((terminal) => terminal.info()) }),
    close: async ({ id }) =>
      set.withTerminal(id, async (terminal) => {
        await set.close(terminal);
        return {};
      }),
  });
  return {
    service,
    isAvailable: startPty.ok,
    [Symbol.asyncDispose]: () => set[Symbol.asyncDispose](),
  };
}

type AttachInput = ScreenSize & {
  readonly id: string;
  readonly command: string;
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly mayStart: boolean;
};

class TerminalSet implements AsyncDisposable {
  readonly #startPty: Result<StartPty, WorkspaceFailure>;
  readonly #options: TerminalsOptions;
  readonly #deps: TerminalDeps;
  readonly #terminals = new Map<string, Terminal>();
  /** Those that two callers may wait for at once. */
  readonly #starting = new Map<string, Promise<Result<Terminal, WorkspaceFailure>>>();
  readonly #exitedAtMs = new Map<Terminal, number>();
  readonly #stop = new AbortController();
  readonly #sweeping: Promise<void>;

  constructor(startPty: Result<StartPty, WorkspaceFailure>, options: TerminalsOptions) {
    this.#startPty = startPty;
    this.#options = options;
    const { clock, log } = options;
    this.#deps = { clock, log, sessions: new TerminalSessions(clock) };
    this.#sweeping = this.#sweepUntilStopped();
  }

  list(): Terminal[] {
    return [...this.#terminals.values()];
  }

  async withTerminal<Value>(
    id: string,
    work: (terminal: Terminal) => Promise<Value>,
  ): Promise<Result<Value, WorkspaceFailure>> {
    if (!this.#startPty.ok) return this.#startPty;
    const terminal = this.#terminals.get(id);
    return terminal === undefined ? fail(NOT_FOUND) : ok(await work(terminal));
  }

  async attach(input: AttachInput, signal: AbortSignal) {
    if (!this.#startPty.ok) return this.#startPty;
    const known = this.#terminals.get(input.id) ?? this.#starting.get(input.id);
    if (known === undefined && !input.mayStart) return fail(NOT_FOUND);
    const found = known instanceof Terminal ? ok(known) : await (known ?? this.#start(input));
    if (!found.ok) return found;
    // Nobody would ever take the channel.
    signal.throwIfAborted();
    const terminal = found.value;
    if (terminal.viewerCount >= VIEWERS_MAX) {
      return fail({
        code: "busy" as const,
        message: `A terminal has at most ${VIEWERS_MAX} viewers.`,
      });
    }
    const channel = terminal.attach({ columns: input.columns, rows: input.rows }, signal);
    return ok({ value: { ...terminal.info(), isNew: known === undefined }, channel });
  }

  async close(terminal: Terminal): Promise<void> {
    await terminal.close();
    this.#forget(terminal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the terminals are closed"));
    await this.#sweeping;
    await Promise.all(this.#starting.values());
    await Promise.all(this.list().map((terminal) => this.close(terminal)));
  }

  #start(input: AttachInput): Promise<Result<Terminal, WorkspaceFailure>> {
    const starting = this.#startAnew(input).finally(() => this.#starting.delete(input.id));
    this.#starting.set(input.id, starting);
    return starting;
  }

  async #startAnew(input: AttachInput): Promise<Result<Terminal, WorkspaceFailure>> {
    if (!this.#startPty.ok) return this.#startPty;
    const running = this.list().filter((terminal) => !terminal.hasExited).length;
    if (running + this.#starting.size >= TERMINALS_MAX) {
      const message = `There are ${TERMINALS_MAX} terminals already: close one first.`;
      return fail({ code: "busy", message });
    }
    const pty = await this.#ptyOptions(input);
    if (!pty.ok) return pty;
    if (this.#stop.signal.aborted) return fail(CLOSED);
    try {
      const { id, command } = input;
      const terminal = new Terminal(
        this.#startPty.value,
        { id, command, pty: pty.value },
        this.#deps,
      );
      this.#terminals.set(id, terminal);
      return ok(terminal);
    } catch (error) {
      this.#options.log.warn({ error }, "a terminal could not be started");
      const reason = error instanceof Error ? error.message : String(error);
      return fail({ code: "failed", message: `The terminal could not be started: ${reason}` });
    }
  }

  async #ptyOptions(input: AttachInput): Promise<Result<PtyOptions, WorkspaceFailure>> {
    const { baseEnvironment } = this.#options;
    const directory = await this.#directoryOf(input.workingDirectory);
    if (!directory.ok) return directory;
    const { columns, rows, command } = input;
    const file = await usableShell(this.#options.shell);
    return ok({
      file,
      args: command === "" ? ["-l"] : ["-c", command],
      directory: directory.value,
      environment: {
        ...baseEnvironment,
        TERM: "xterm-256color",
        COLORTERM: "truecolor",
        SHELL: file,
        ...input.environment,
      },
      size: { columns, rows },
    });
  }

  async #directoryOf(asked: string): Promise<Result<string, WorkspaceFailure>> {
    const { homeDirectory, workspaceDirectory } = this.#options;
    if (asked === "") {
      const isThere = (await kindOf(workspaceDirectory)) === "directory";
      return ok(isThere ? workspaceDirectory : homeDirectory);
    }
    const path = resolve(homeDirectory, asked);
    switch (await kindOf(path)) {
      case "directory":
        return ok(path);
      case "other":
        return fail({ code: "not_a_directory", message: `${path} is not a directory.` });
      case "nothing":
        return fail({ code: "not_found", message: `There is no directory ${path}.` });
    }
  }

  async #sweepUntilStopped(): Promise<void> {
    try {
      for (;;) {
        await this.#options.clock.sleep(SWEEP_MS, this.#stop.signal);
        await this.#sweep();
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    }
  }

  /** Forgets the ended, and ends the forgotten. */
  async #sweep(): Promise<void> {
    const { clock, idleTimeoutMs, log } = this.#options;
    const nowMs = clock.monotonicMs();
    for (const terminal of this.list()) {
      if (terminal.hasExited) {
        const sinceMs = this.#exitedAtMs.get(terminal) ?? nowMs;
        this.#exitedAtMs.set(terminal, sinceMs);
        if (nowMs - sinceMs >= EXITED_KEPT_MS) this.#forget(terminal);
      } else if (idleTimeoutMs !== null && terminal.idleMs >= idleTimeoutMs) {
        log.info({ terminalId: terminal.id }, "ending a terminal that nobody uses");
        await this.close(terminal);
      }
    }
    const exited = this.list().filter((terminal) => terminal.hasExited);
    for (const terminal of exited.slice(0, Math.max(0, exited.length - EXITED_MAX))) {
      this.#forget(terminal);
    }
  }

  #forget(terminal: Terminal): void {
    this.#terminals.delete(terminal.id);
    this.#exitedAtMs.delete(terminal);
  }
}

const NOT_FOUND: WorkspaceFailure = { code: "not_found", message: "There is no such terminal." };
const CLOSED: WorkspaceFailure = { code: "failed", message: "The workspace agent is ending." };

async function kindOf(path: string): Promise<"directory" | "other" | "nothing"> {
  const found = await stat(path).catch(() => null);
  if (found === null) return "nothing";
  return found.isDirectory() ? "directory" : "other";
}

async function usableShell(shell: string): Promise<string> {
  const isUsable = await access(shell, constants.X_OK).then(
    () => true,
    () => false,
  );
  return isUsable ? shell : FALLBACK_SHELL;
}
