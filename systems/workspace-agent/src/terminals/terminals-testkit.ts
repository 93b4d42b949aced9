/** Terminals for tests: opening them, looking at one, and what every implementation of the port does. */
import { silentLogger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import type { ByteChannel } from "@atelier/contract/rpc/workspace/operation";
import type { WorkspaceTerminals } from "@atelier/contract/rpc/workspace/terminals";
import type { Terminal as Shown } from "@xterm/headless";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { feed, stateOf, viewerTerminal } from "./screen-testkit.ts";
import { openTerminals, type Terminals, type TerminalsOptions } from "./terminals-io.ts";

export const SIZE = { columns: 40, rows: 10 } as const;

export const testTerminals = (options: Partial<TerminalsOptions> = {}): Promise<Terminals> =>
  openTerminals({
    homeDirectory: tmpdir(),
    workspaceDirectory: tmpdir(),
    shell: "/bin/sh",
    baseEnvironment: {
      PATH: process.env["PATH"] ?? "",
      HOME: tmpdir(),
      PS1: "$ ",
      LANG: "C.UTF-8",
    },
    idleTimeoutMs: null,
    clock: systemClock,
    log: silentLogger,
    ...options,
  });

/** Somebody who looks: a terminal that reads the channel for as long as it goes. */
export class Look {
  readonly shown: Shown;
  readonly channel: ByteChannel;
  readonly ended: Promise<void>;
  isNew = false;
  /** All that came, as it came. */
  text = "";
  /** How the channel broke, or null. */
  broken: unknown = null;
  #waiters: (() => void)[] = [];

  constructor(channel: ByteChannel, size: { readonly columns: number; readonly rows: number }) {
    this.shown = viewerTerminal(size.columns, size.rows);
    this.channel = channel;
    this.ended = this.#read();
  }

  type(text: string): Promise<void> {
    return this.channel.write(Buffer.from(text));
  }

  /** Resolves when it holds, of the screen as text. */
  async until(holds: (screen: string) => boolean): Promise<void> {
    while (!holds(screenOf(this.shown))) await this.change();
  }

  /** Resolves when more has come. */
  change(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  async #read(): Promise<void> {
    try {
      for await (const bytes of this.channel.incoming) {
        // Whole characters always: a decoder without memory must do.
        const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
        this.text += text;
        feed(this.shown, text);
        this.#wakeAll();
      }
    } catch (error) {
      this.broken = error;
    }
    this.#wakeAll();
  }

  #wakeAll(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}

/** Resolves when both show the same: they get the same output, each in its own time. */
export async function untilAlike(one: Look, other: Look): Promise<void> {
  while (!isDeepStrictEqual(stateOf(one.shown), stateOf(other.shown))) {
    await Promise.race([one.change(), other.change()]);
  }
}

/** Rows without the spaces at their ends, and without empty rows below. */
export function screenOf(terminal: Shown): string {
  const { active } = terminal.buffer;
  const rows = Array.from({ length: terminal.rows }, (_, y) =>
    active.getLine(active.baseY + y)?.translateToString(true),
  );
  return rows.join("\n").trimEnd();
}

export async function look(
  terminals: WorkspaceTerminals,
  input: Partial<Parameters<WorkspaceTerminals["attach"]>[0]> = {},
): Promise<Look> {
  const full = { id: randomUUID(), ...SIZE, ...input };
  const attached = await terminals.attach(full);
  if (!attached.ok)
    throw new Error(`attach: ${attached.failure.code}: ${attached.failure.message}`);
  const made = new Look(attached.value.channel, full);
  made.isNew = attached.value.value.isNew;
  return made;
}

/** What holds of every implementation of the port. */
export function testTerminalsConformance(
  name: string,
  open: () => Promise<AsyncDisposable & { readonly service: WorkspaceTerminals }>,
): void {
  const its = (sentence: string, work: (terminals: WorkspaceTerminals) => Promise<void>): void => {
    test(`${name}: ${sentence}`, async () => {
      await using opened = await open();
      await work(opened.service);
    });
  };

  its("a terminal shows what is typed and what comes of it", async (terminals) => {
    const one = await look(terminals, { command: "cat" });
    await one.type("hello\n");
    await one.until((screen) => screen === "hello\nhello");
  });

  its("the channel ends with the program, and how it ended can be asked", async (terminals) => {
    const id = randomUUID();
    const one = await look(terminals, { id, command: "printf bye; exit 3" });
    await one.ended;
    assert.equal(one.broken, null);
    assert.equal(screenOf(one.shown), "bye");
    const info = await terminals.get({ id });
    assert.ok(info.ok);
    assert.deepEqual(
      [info.value.state, info.value.exitCode, info.value.signal],
      ["exited", 3, null],
    );
    const last = await look(terminals, { id });
    await last.ended;
    assert.deepEqual([last.isNew, screenOf(last.shown)], [false, "bye"]);
  });

  its("a signal that ends a program is named", async (terminals) => {
    const id = randomUUID();
    await (
      await look(terminals, { id, command: "kill -TERM $$" })
    ).ended;
    const info = await terminals.get({ id });
    assert.ok(info.ok);
    assert.deepEqual([info.value.exitCode, info.value.signal], [null, "SIGTERM"]);
  });

  its("ending the channel leaves the terminal running", async (terminals) => {
    const id = randomUUID();
    const one = await look(terminals, { id, command: "cat" });
    await one.type("first\n");
    await one.until((screen) => screen === "first\nfirst");
    await one.channel.end();
    await one.ended;
    assert.equal(one.broken, null);
    const again = await look(terminals, { id });
    assert.equal(again.isNew, false);
    await again.until((screen) => screen === "first\nfirst");
  });

  its("destroying the channel leaves the terminal running too", async (terminals) => {
    const id = randomUUID();
    const one = await look(terminals, { id, command: "cat" });
    one.channel.destroy();
    await one.ended;
    const again = await look(terminals, { id });
    await again.type("x\n");
    await again.until((screen) => screen === "x\nx");
  });

  its("aborting breaks the channel with the caller's reason", async (terminals) => {
    const leave = new AbortController();
    const id = randomUUID();
    const attached = await terminals.attach(
      { id, ...SIZE, command: "cat" },
      { signal: leave.signal },
    );
    assert.ok(attached.ok);
    const one = new Look(attached.value.channel, SIZE);
    await one.type("x\n");
    await one.until((screen) => screen !== "");
    const reason = new Error("leaving");
    leave.abort(reason);
    await one.ended;
    assert.equal(one.broken, reason);
  });

  its("many look and type; each learns of a new size", async (terminals) => {
    const id = randomUUID();
    const one = await look(terminals, { id, command: "cat" });
    const two = await look(terminals, { id, columns: 60, rows: 12 });
    await one.type("one\n");
    await two.type("two\n");
    // Each is echoed, and then comes from the program; which of them is first may vary.
    const both = (screen: string): boolean =>
      ["one", "two"].every((word) => screen.split("\n").filter((row) => row === word).length === 2);
    await one.until(both);
    await two.until(both);
    assert.equal(one.shown.cols, 60);
    assert.deepEqual(await terminals.resize({ id, columns: 30, rows: 5 }), { ok: true, value: {} });
    await one.until(() => one.shown.cols === 30);
    await two.until(() => two.shown.rows === 5);
    const info = await terminals.get({ id });
    assert.ok(info.ok);
    assert.deepEqual([info.value.columns, info.value.rows, info.value.viewers], [30, 5, 2]);
  });

  its("closing ends the program, and the terminal is gone", async (terminals) => {
    const id = randomUUID();
    const one = await look(terminals, { id, command: "cat" });
    const listed = await terminals.list({});
    assert.deepEqual(listed.ok && listed.value.terminals.map((each) => each.id), [id]);
    assert.ok((await terminals.close({ id })).ok);
    await one.ended;
    assert.equal(one.broken, null);
    for (const answer of [
      await terminals.get({ id }),
      await terminals.close({ id }),
      await terminals.resize({ id, ...SIZE }),
      await terminals.attach({ id, ...SIZE, mayStart: false }),
    ]) {
      assert.equal(!answer.ok && answer.failure.code, "not_found");
    }
  });

  its("a directory that is none is a failure", async (terminals) => {
    const attach = (workingDirectory: string) =>
      terminals.attach({ id: randomUUID(), ...SIZE, workingDirectory });
    const missing = await attach("/no/such/directory");
    assert.equal(!missing.ok && missing.failure.code, "not_found");
    const file = await attach("/etc/passwd");
    assert.equal(!file.ok && file.failure.code, "not_a_directory");
  });

  its("what makes no sense is refused", async (terminals) => {
    const refused = await terminals.attach({ id: "x", ...SIZE });
    assert.equal(!refused.ok && refused.failure.code, "invalid");
  });
}
