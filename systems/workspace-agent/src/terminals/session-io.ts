/** Ends all processes of a session: a terminal's program, what it started, and what runs behind it. */
import type { Clock } from "@atelier/base/clock";
import { readdir, readFile } from "node:fs/promises";

/** From being asked to end until being ended. */
const HANGUP_MS = 1_000;
const CHECK_MS = 20;
/** What a killed process may need to be gone. */
const KILL_MS_MAX = 5_000;

export class TerminalSessions {
  readonly #clock: Clock;
  #scan: Promise<ReadonlyMap<number, number>> = Promise.resolve(new Map());
  #nextScan: Promise<ReadonlyMap<number, number>> | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * `leader` is the session's first process; a process that began a session of its own is not of this
   * one. Resolves when all are gone.
   */
  async end(leader: number): Promise<void> {
    if (await this.#signalUntilGone(leader, "SIGHUP", HANGUP_MS)) return;
    await this.#signalUntilGone(leader, "SIGKILL", KILL_MS_MAX);
  }

  /** Again and again: a process may have started another meanwhile. */
  async #signalUntilGone(
    leader: number,
    signal: "SIGHUP" | "SIGKILL",
    withinMs: number,
  ): Promise<boolean> {
    const never = new AbortController().signal;
    const deadlineMs = this.#clock.monotonicMs() + withinMs;
    const asked = new Set<number>();
    for (;;) {
      const members = await this.#membersOf(leader);
      if (members.length === 0) return true;
      for (const pid of members) {
        if (signal === "SIGHUP" && asked.has(pid)) continue;
        asked.add(pid);
        send(pid, signal);
        // What is stopped hears of nothing else.
        if (signal === "SIGHUP") send(pid, "SIGCONT");
      }
      if (this.#clock.monotonicMs() >= deadlineMs) return false;
      await this.#clock.sleep(CHECK_MS, never);
    }
  }

  /** Living processes of the session. */
  async #membersOf(leader: number): Promise<number[]> {
    // A look that has begun may have passed by what happened since. Many who wait share the next one.
    this.#nextScan ??= this.#scan.then(() => {
      this.#nextScan = null;
      this.#scan = sessionsByProcess();
      return this.#scan;
    });
    const all = await this.#nextScan;
    // Where the machine does not list them: the leader's group alone.
    if (all.size === 0) return isAlive(-leader) ? [-leader] : [];
    return [...all].filter(([, session]) => session === leader).map(([pid]) => pid);
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has just ended.
  }
}

/** Of all living processes. Empty where the machine does not list them. */
async function sessionsByProcess(): Promise<ReadonlyMap<number, number>> {
  const names = await readdir("/proc").catch(() => []);
  const found = new Map<number, number>();
  const read = async (pid: number): Promise<void> => {
    const session = await sessionOf(pid);
    if (session !== null) found.set(pid, session);
  };
  await Promise.all(names.filter((name) => /^\d+$/.test(name)).map((name) => read(Number(name))));
  return found;
}

/** Null for a process that has ended, also where nobody has asked for its end yet. */
async function sessionOf(pid: number): Promise<number | null> {
  const stat = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
  // After the name, which may hold anything: state, parent, group, session.
  const [state, , , session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return state === undefined || session === undefined || "ZX".includes(state)
    ? null
    : Number(session);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
