/**
 * The authorizer for a gateway in another thread: the same cache with the same rules. What it has to
 * look up, and the news of changes, come from the thread that has the database.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { CallerAuthorizer } from "@atelier/contract/rpc/gateway-ports";
import type { Subscriber } from "@atelier/database/pub-sub";
import { CachedCallerAuthorizer } from "./access/caller-authorizer.ts";
import { KeyUsage, type KeyUse } from "./access/key-usage.ts";
import type { Principal } from "./access/principal.ts";

/** Survives a structured clone. Null: refused. */
export type FoundPrincipal = Principal | null;

/** What the thread with the database offers. Loads reject when it cannot be known. */
export interface PrincipalSource {
  readonly isConnected: boolean;
  load(token: string): Promise<FoundPrincipal>;
  loadOfKey(apiKeyId: string): Promise<FoundPrincipal>;
  /** Uses of credentials, to be written now and then. */
  note(uses: readonly KeyUse[]): void;
  /** News of changes. Lasts until disposed. */
  follow(on: Required<Subscriber>): Disposable;
}

export type ElsewhereDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly load: PrincipalSource["load"];
  readonly loadOfKey: PrincipalSource["loadOfKey"];
};

/** Begins without a connection: tell it when there is one. */
export class CallerAuthorizerElsewhere implements CallerAuthorizer, Disposable {
  readonly #usage = new KeyUsage();
  readonly #authorizer: CachedCallerAuthorizer;
  #isConnected = false;
  #subscriber: Pick<Subscriber, "message" | "resync"> | null = null;

  constructor({ clock, log, load, loadOfKey }: ElsewhereDeps) {
    const isConnected = (): boolean => this.#isConnected;
    this.#authorizer = new CachedCallerAuthorizer({
      clock,
      log,
      usage: this.#usage,
      pubSub: {
        get isConnected() {
          return isConnected();
        },
        subscribe: (_, on) => {
          this.#subscriber = on;
          return { [Symbol.dispose]: () => {} };
        },
      },
      loadPrincipal: load,
      loadPrincipalOfKey: loadOfKey,
    });
  }

  authorize(token: string, holder?: object): ReturnType<CallerAuthorizer["authorize"]> {
    return this.#authorizer.authorize(token, holder);
  }

  authorizeDelegated(apiKeyId: string): ReturnType<CallerAuthorizer["authorizeDelegated"]> {
    return this.#authorizer.authorizeDelegated(apiKeyId);
  }

  /** What the other thread hears of changes. */
  hear(news: PrincipalNews): void {
    this.#isConnected = news.kind !== "lost";
    if (news.kind === "message") this.#subscriber?.message(news.payload);
    else if (news.kind === "resync") this.#subscriber?.resync();
  }

  /** Uses of credentials since the last call. */
  takeUses(): readonly KeyUse[] {
    return this.#usage.take();
  }

  [Symbol.dispose](): void {
    this.#authorizer[Symbol.dispose]();
  }
}

export type PrincipalNews =
  | { readonly kind: "message"; readonly payload: string }
  | { readonly kind: "resync" | "lost" };
