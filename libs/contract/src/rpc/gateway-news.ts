/**
 * What the gateways of a deployment tell each other of providers in trouble. Best effort: news may be lost,
 * late or double, and whoever hears none learns by itself. Times are durations, because clocks differ.
 */

export type GatewayNews =
  | {
      readonly kind: "breaker_opened";
      readonly providerId: string;
      readonly endpoint: string;
      readonly model: string;
      readonly forMs: number;
    }
  | {
      readonly kind: "breaker_closed";
      readonly providerId: string;
      readonly endpoint: string;
      readonly model: string;
    }
  /** The provider refused or throttled one of its keys. */
  | {
      readonly kind: "key_out";
      readonly providerId: string;
      readonly keyId: string;
      readonly reason: "rate_limited" | "unauthorized" | "forbidden";
      readonly status: number | null;
      /** Null: until somebody acts. */
      readonly forMs: number | null;
    }
  /** A check has shown that the provider takes the key again. */
  | { readonly kind: "key_back"; readonly providerId: string; readonly keyId: string };

export interface GatewayPeers {
  /** Returns at once, and never throws. News of one subject that comes soon after replaces this. */
  tell(news: GatewayNews): void;
  /** What the others tell, not what this process told. Lasts until disposed. */
  hear(listener: (news: GatewayNews) => void): Disposable;
}
