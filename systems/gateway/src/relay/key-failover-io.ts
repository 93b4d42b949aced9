/**
 * Sends a call with the company's keys, one after the other, until an answer is not about the key
 * (spec gateway 5.4–5.6). Each call walks from the first key: order is preference. When no key is left,
 * the client learns when the soonest returns.
 */
import { maskCredential } from "@atelier/base/mask";
import type { ProviderKey } from "@atelier/contract/rpc/gateway-ports";
import type { WireFormat } from "@atelier/model-wire/wire-format";
import { keysExhausted } from "../failures/gateway-failure.ts";
import { namesAccount } from "../headers/named-account.ts";
import { toCredential, type UpstreamCredential } from "../headers/upstream-headers.ts";
import { judgeKey, type KeyTrial } from "../keys/key-disposition.ts";
import type { CredentialHeader } from "../routing/provider-kinds.ts";
import type { UpstreamCall } from "../upstream/upstream-client.ts";
import type { AnswerRelay } from "./answer-relay-io.ts";
import { Attempt, type SetAside } from "./attempt-io.ts";
import type { ChosenCredential } from "./choose-credential.ts";
import { CredentialGuard } from "./credential-guard-io.ts";
import type { GatewayCall, RelayDeps } from "./gateway-call.ts";

/** Timers fire a little early at times: a key that rests for one more millisecond is not usable yet. */
const TIMER_SLACK_MS = 5;

export type SendOptions = {
  readonly relay: AnswerRelay;
  readonly format: WireFormat;
  /** The call as it goes upstream with this credential. Null: the client there has its own. */
  toUpstreamCall(credential: UpstreamCredential | null): UpstreamCall;
};

/** With the caller's own credential once; else with the company's keys. Null: without them. */
export function sendWith(
  deps: RelayDeps,
  call: GatewayCall,
  chosen: ChosenCredential,
  options: SendOptions,
): KeyFailover | null {
  const { client } = call.upstream;
  if (chosen.kind === "byok") {
    const listener = new CredentialGuard(options.relay, chosen.secret, options.format);
    options.relay.attach(client.send(options.toUpstreamCall(chosen.credential), listener));
    return null;
  }
  const { keyHeader } = chosen;
  if (keyHeader === null) {
    // The upstream client signs by itself: there is no key to be told from others.
    options.relay.attach(client.send(options.toUpstreamCall(null), options.relay));
    return null;
  }
  const failover = new KeyFailover(deps, call, { ...options, keyHeader });
  failover.tryNext();
  return failover;
}

type FailoverOptions = SendOptions & {
  /** Where a key goes. */
  readonly keyHeader: CredentialHeader;
};

/** Of a refusal's message, as operators see it, in UTF-16 units. */
const SHOWN_LENGTH_MAX = 500;

class KeyFailover {
  /** Of the key that served, or that was tried last. Empty: none was. */
  hint = "";
  attempts = 0;
  readonly #deps: RelayDeps;
  readonly #call: GatewayCall;
  readonly #options: FailoverOptions;
  readonly #tried = new Set<string>();
  readonly #trial: KeyTrial;
  #hasWaited = false;

  constructor(deps: RelayDeps, call: GatewayCall, options: FailoverOptions) {
    this.#deps = deps;
    this.#call = call;
    this.#options = options;
    const isAccountNamed = namesAccount(call.req.headers);
    this.#trial = { policy: deps.keyAuthFailurePolicy, isAccountNamed };
  }

  /** Begins; also goes on with the next key. */
  tryNext(): void {
    const { relay, format } = this.#options;
    const { state, provider, upstream } = this.#call;
    const key = state.keys.next(provider.keys, this.#tried);
    if (key === null) {
      this.#waitOrGiveUp();
      return;
    }
    this.#tried.add(key.id);
    this.hint = key.hint;
    this.attempts += 1;
    const attempt = new Attempt({
      listener: new CredentialGuard(relay, key.secret.reveal(), format),
      format,
      judge: (status, headers) => judgeKey(status, headers, this.#trial),
      mayFailOver: () => state.keys.next(provider.keys, this.#tried) !== null,
      onSetAside: (aside) => this.#onSetAside(key, aside),
    });
    const credential = toCredential(this.#options.keyHeader, key.secret.reveal());
    const upstreamCall = this.#options.toUpstreamCall(credential);
    const exchange = upstream.client.send(upstreamCall, attempt);
    attempt.attach(exchange);
    relay.attach(exchange);
  }

  #onSetAside(key: ProviderKey, aside: SetAside): void {
    const { log, metrics } = this.#deps;
    const { state, provider } = this.#call;
    if (aside.kind === "refused") {
      const { disposition, status, message } = aside;
      const shown = withoutKey(message, key).slice(0, SHOWN_LENGTH_MAX);
      if (state.keys.mark(key.id, disposition, { status, message: shown })) {
        metrics.keyTransitions.inc({ provider: provider.name, reason: disposition.reason });
        log.info(
          { provider: provider.name, keyHint: key.hint, status, reason: disposition.reason },
          disposition.kind === "rest" ? "key marked temporary" : "key marked permanent",
        );
      }
    }
    this.tryNext();
  }

  #waitOrGiveUp(): void {
    const { clock, metrics, keyWaitMsMax, log } = this.#deps;
    const { state, provider } = this.#call;
    const { relay } = this.#options;
    const exhausted = state.keys.exhausted(provider.keys);
    const waitMs = exhausted.kind === "rate_limited" ? exhausted.retryInMs : null;
    if (waitMs !== null && waitMs <= keyWaitMsMax && keyWaitMsMax > 0 && !this.#hasWaited) {
      this.#hasWaited = true;
      this.#tried.clear();
      clock.sleep(waitMs + TIMER_SLACK_MS, relay.signal).then(
        () => this.tryNext(),
        () => {}, // The client left, or this server stops: the relay has ended the call.
      );
      return;
    }
    const outcome = exhausted.kind === "rate_limited" ? "rate_limited" : "auth_failed";
    metrics.keyExhaustions.inc({ provider: provider.name, outcome });
    log.warn({ provider: provider.name, outcome, retryInMs: waitMs }, "no provider key is left");
    const errorType = exhausted.kind === "rate_limited" ? "rate_limited" : "unauthorized";
    relay.refuse(keysExhausted(exhausted), errorType);
  }
}

/** Providers repeat the key in their refusals, masked their way or not at all. */
function withoutKey(message: string, { secret }: ProviderKey): string {
  return message.replaceAll(secret.reveal(), maskCredential(secret.reveal()));
}
