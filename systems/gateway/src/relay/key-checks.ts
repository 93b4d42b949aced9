/**
 * Asks a provider once more about a key that it refused (401, 403): providers refuse good keys now and then,
 * and people mend keys without telling us. One check for each refusal, some seconds after it, with the free
 * request that `providers test` makes; a key that passes serves again at once.
 *
 * There is never a storm: a key has one check at a time, few run at once in all, and a key that passed and
 * was refused again soon after is not checked again for a while, because its check proves nothing.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { Random } from "@atelier/base/random";
import type {
  GatewayProvider,
  ProviderCheck,
  ProviderKey,
  ProviderSource,
} from "@atelier/contract/rpc/gateway-ports";
import type { KeyPool } from "../keys/key-pool.ts";

export type KeyChecksDeps = {
  readonly providers: ProviderSource;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** From half of it to one and a half of it passes before a check. 0: none is made. */
  readonly delayMs: number;
  /** Null: there is no free request that tells. */
  check(
    provider: GatewayProvider,
    key: ProviderKey,
    signal: AbortSignal,
  ): Promise<ProviderCheck | null>;
};

/** A key that went out of service because its provider refused it. */
export type RefusedKey = {
  readonly provider: GatewayProvider;
  readonly key: ProviderKey;
  readonly pool: KeyPool;
};

const CHECKS_AT_ONCE_MAX = 4;
const AGAIN_AFTER_MS = 10 * 60_000;
/** More keys than any deployment has: what is remembered of keys long gone does not pile up. */
const REMEMBERED_MAX = 10_000;

type Remembered = { readonly checkedAt: Date; readonly passedAtMs: number };

export class KeyChecks implements Disposable {
  readonly #deps: KeyChecksDeps;
  readonly #onBack: (refused: RefusedKey) => void;
  readonly #pending = new Map<string, AbortController>();
  readonly #remembered = new Map<string, Remembered>();
  #running = 0;

  constructor(deps: KeyChecksDeps, onBack: (refused: RefusedKey) => void = () => {}) {
    this.#deps = deps;
    this.#onBack = onBack;
  }

  /** When the key was checked last. Null: not since this server started. */
  lastCheckedAt(keyId: string): Date | null {
    return this.#remembered.get(keyId)?.checkedAt ?? null;
  }

  /** Right after the refusal was noted. Returns at once. */
  refused(refused: RefusedKey): void {
    const { clock, log, delayMs } = this.#deps;
    const { id } = refused.key;
    if (delayMs === 0 || this.#pending.has(id)) return;
    const passedAtMs = this.#remembered.get(id)?.passedAtMs ?? -Infinity;
    if (clock.monotonicMs() - passedAtMs < AGAIN_AFTER_MS) return;
    const stop = new AbortController();
    this.#pending.set(id, stop);
    this.#checkLater(refused, stop.signal)
      .catch((error: unknown) => {
        if (!stop.signal.aborted) log.error({ error }, "checking a provider key failed");
      })
      .finally(() => {
        if (this.#pending.get(id) === stop) this.#pending.delete(id);
      });
  }

  /** An operator decided about the key: a check has nothing to add. */
  forget(keyId: string): void {
    this.#pending.get(keyId)?.abort(FORGOTTEN);
    this.#pending.delete(keyId);
    this.#remembered.delete(keyId);
  }

  [Symbol.dispose](): void {
    for (const stop of this.#pending.values()) stop.abort(FORGOTTEN);
    this.#pending.clear();
  }

  async #checkLater(refused: RefusedKey, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const refusedAtMs = clock.monotonicMs();
    const refusal = refused.pool.lastErrorId(refused.key.id);
    do await clock.sleep(this.#delayMs(), signal);
    while (this.#running >= CHECKS_AT_ONCE_MAX);
    const current = this.#currentOf(refused);
    if (current === null) return;
    this.#running += 1;
    const check = await this.#deps.check(current.provider, current.key, signal).finally(() => {
      this.#running -= 1;
    });
    if (check === null || signal.aborted) return;
    const hasPassed = check.outcome === "ok";
    const passedAtMs = hasPassed ? clock.monotonicMs() : -Infinity;
    this.#remember(current.key.id, { checkedAt: clock.now(), passedAtMs });
    const isBack = hasPassed && current.pool.forgive(current.key.id, refusal, refusedAtMs);
    const { log } = this.#deps;
    const { outcome, status } = check;
    const facts = { provider: current.provider.name, keyHint: current.key.hint, outcome, status };
    log.info(facts, isBack ? "provider key serves again" : "refused provider key was checked");
    if (isBack) this.#onBack(current);
  }

  /** Between half and one and a half of it, so that servers do not ask in step. */
  #delayMs(): number {
    const { random, delayMs } = this.#deps;
    return delayMs * (0.5 + Number.parseInt(random.uuid().slice(0, 4), 16) / 0x10000);
  }

  /** As the provider is now. Null: nobody would use the key any more. */
  #currentOf({ provider, key, pool }: RefusedKey): RefusedKey | null {
    const now = this.#deps.providers.current().providers.get(provider.name);
    const kept = now?.keys.find(({ id }) => id === key.id);
    if (now === undefined || !now.enabled || kept === undefined) return null;
    return { provider: now, key: kept, pool };
  }

  #remember(keyId: string, remembered: Remembered): void {
    this.#remembered.delete(keyId);
    this.#remembered.set(keyId, remembered);
    if (this.#remembered.size <= REMEMBERED_MAX) return;
    const [oldest] = this.#remembered.keys();
    if (oldest !== undefined) this.#remembered.delete(oldest);
  }
}

const FORGOTTEN = new Error("the check is not wanted any more");
