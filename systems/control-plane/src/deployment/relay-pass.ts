/**
 * How one server proves to another that it is one of the deployment's: it signs what it wants of which
 * server, such as a workspace agent, and when, with a key that only servers have. A pass serves once.
 */
import type { Clock } from "@atelier/base/clock";
import type { Random } from "@atelier/base/random";
import { LRUCache } from "lru-cache";

/** Header of the request from server to server. */
export const RELAY_PASS_HEADER = "x-atelier-relay-pass";

/** What signs and checks, for one purpose. */
export type Signer = {
  sign(text: string): string;
  isSigned(text: string, signature: string): boolean;
};

type Wanted = { readonly thingId: string; readonly replicaId: string };

/** Clocks of servers may differ by as much. */
const AGE_MS_MAX = 60_000;
const PASSES_MAX = 100_000;

export class RelayPasses {
  readonly #deps: { readonly clock: Clock; readonly random: Random; readonly signer: Signer };
  /** Passes that were shown here. */
  readonly #used = new LRUCache<string, true>({ max: PASSES_MAX });

  constructor(deps: { readonly clock: Clock; readonly random: Random; readonly signer: Signer }) {
    this.#deps = deps;
  }

  /** For one request to that server. */
  issue(wanted: Wanted): string {
    const { clock, random, signer } = this.#deps;
    const stamp = `${clock.now().getTime()}.${random.uuid()}`;
    return `${stamp}.${signer.sign(textOf(wanted, stamp))}`;
  }

  /** Whether the pass is good here, the first time that it is shown. */
  isGood(pass: string, wanted: Wanted): boolean {
    const [, stamp, time, signature] = /^((\d{1,16})\.[0-9a-f-]{36})\.(.{1,256})$/.exec(pass) ?? [];
    if (stamp === undefined || time === undefined || signature === undefined) return false;
    const { clock, signer } = this.#deps;
    if (Math.abs(clock.now().getTime() - Number(time)) > AGE_MS_MAX) return false;
    if (!signer.isSigned(textOf(wanted, stamp), signature)) return false;
    if (this.#used.has(stamp)) return false;
    this.#used.set(stamp, true);
    return true;
  }
}

function textOf({ thingId, replicaId }: Wanted, stamp: string): string {
  return `${thingId}\n${replicaId}\n${stamp}`;
}
