/** Notes that workspaces are used, at most once a minute each. */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import { LRUCache } from "lru-cache";

const EVERY_MS = 60_000;
const NOTED_MAX = 10_000;

export class UseNotes {
  readonly #deps: {
    readonly clock: Clock;
    readonly log: Logger;
    readonly write: (agentId: string) => Promise<void>;
  };
  readonly #notedMs = new LRUCache<string, number>({ max: NOTED_MAX });

  constructor(deps: {
    readonly clock: Clock;
    readonly log: Logger;
    readonly write: (agentId: string) => Promise<void>;
  }) {
    this.#deps = deps;
  }

  note(agentId: string): void {
    const { clock, log, write } = this.#deps;
    const nowMs = clock.monotonicMs();
    const notedMs = this.#notedMs.get(agentId);
    if (notedMs !== undefined && nowMs - notedMs < EVERY_MS) return;
    this.#notedMs.set(agentId, nowMs);
    write(agentId).catch((error: unknown) => {
      log.warn({ error }, "the use of a workspace was not noted");
    });
  }
}
