/**
 * Takes provider keys out of service, where operators see it: the last error, a metric and a log line
 * for each key that goes. Nothing that they see holds a key.
 */
import { maskCredential } from "@atelier/base/mask";
import type { ProviderKey } from "@atelier/contract/rpc/gateway-ports";
import type { KeyFault } from "../keys/fault-streak.ts";
import type { KeyMark } from "../keys/key-disposition.ts";
import type { KeyError } from "../keys/key-pool.ts";
import type { KeyChecks } from "./key-checks.ts";
import type { PeerNews } from "./peer-news.ts";
import type { GatewayCall, RelayDeps } from "./gateway-call.ts";

type TellDeps = Pick<RelayDeps, "log" | "metrics">;
type MarkDeps = TellDeps & {
  readonly news: Pick<PeerNews, "keyOut">;
  readonly keyChecks: Pick<KeyChecks, "refused">;
};
type MarkedCall = Pick<GatewayCall, "state" | "provider">;

/** Of a provider's message, as operators see it, in UTF-16 units. */
const SHOWN_LENGTH_MAX = 500;

/** After an answer about the key. */
export function markKey(
  deps: MarkDeps,
  { state, provider }: MarkedCall,
  key: ProviderKey,
  { mark, error }: { readonly mark: KeyMark; readonly error: KeyError },
): void {
  if (!state.keys.mark(key.id, mark, shown(error, key))) return;
  tell(deps, {
    provider: provider.name,
    keyHint: key.hint,
    status: error.status,
    reason: mark.reason,
    isPermanent: mark.kind === "reject",
  });
  deps.news.keyOut(provider, key, { mark, status: error.status });
  if (mark.reason !== "rate_limited") deps.keyChecks.refused({ provider, key, pool: state.keys });
}

/** After trouble of the provider. */
export function markKeyFault(
  deps: TellDeps,
  { state, provider }: MarkedCall,
  key: ProviderKey,
  { fault, error }: { readonly fault: KeyFault; readonly error: KeyError },
): void {
  if (!state.keys.markFault(key.id, fault, shown(error, key))) return;
  tell(deps, {
    provider: provider.name,
    keyHint: key.hint,
    status: error.status,
    reason: "faulty",
    isPermanent: false,
  });
}

type Marked = {
  readonly provider: string;
  readonly keyHint: string;
  readonly status: number | null;
  readonly reason: string;
  readonly isPermanent: boolean;
};

function tell({ log, metrics }: TellDeps, { isPermanent, ...facts }: Marked): void {
  metrics.keyTransitions.inc({ provider: facts.provider, reason: facts.reason });
  log.info(facts, isPermanent ? "key marked permanent" : "key marked temporary");
}

/** Providers repeat the key in their refusals, masked their way or not at all. */
function shown({ status, message }: KeyError, { secret }: ProviderKey): KeyError {
  const masked = message.replaceAll(secret.reveal(), maskCredential(secret.reveal()));
  return { status, message: masked.slice(0, SHOWN_LENGTH_MAX) };
}
