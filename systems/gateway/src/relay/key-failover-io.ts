/**
 * Sends a call with the company's keys, one after the other, until an answer is not about the key
 * (spec gateway 5.4–5.6). Each call walks from the first key: order is preference. When no key is left,
 * the client learns when the soonest returns.
 *
 * With failover on faults, a provider's trouble leads to the next key as well, for as long as the client
 * has got nothing; the last answer of a provider is then the client's when no key gives a better one.
 */
import type { ProviderKey } from "@atelier/contract/rpc/gateway-ports";
import type { PassedKey } from "@atelier/contract/rpc/request-trail";
import type { WireFormat } from "@atelier/model-wire/wire-format";
import { FAILURE, keysExhausted } from "../failures/gateway-failure.ts";
import { namesAccount } from "../headers/named-account.ts";
import { toCredential, type UpstreamCredential } from "../headers/upstream-headers.ts";
import {
  isKeyMark,
  judgeKey,
  type KeyDisposition,
  type KeyTrial,
} from "../keys/key-disposition.ts";
import type { KeyFault } from "../keys/fault-streak.ts";
import type { KeyError, KeysExhausted } from "../keys/key-pool.ts";
import { keyReason, passedOver } from "../keys/key-reason.ts";
import type { KeySlot, SlotTurn } from "../keys/key-slots.ts";
import type { CredentialHeader } from "../routing/provider-kinds.ts";
import type {
  UpstreamCall,
  UpstreamExchange,
  UpstreamFailure,
  UpstreamListener,
} from "../upstream/upstream-client.ts";
import type { AnswerRelay } from "./answer-relay-io.ts";
import { Attempt, type KeptAnswer, type SetAside } from "./attempt-io.ts";
import type { AttemptLog } from "./attempt-log.ts";
import type { ChosenCredential } from "./choose-credential.ts";
import { CredentialGuard } from "./credential-guard-io.ts";
import { sendRepairing } from "./foreign-reasoning-io.ts";
import type { GatewayCall, RelayDeps } from "./gateway-call.ts";
import { markKey, markKeyFault } from "./key-marks-io.ts";
import { SlotHolder } from "./slot-holder-io.ts";

/** Timers fire a little early at times: a key that rests for one more millisecond is not usable yet. */
const TIMER_SLACK_MS = 5;

/** Tries of one call with keys that rest for faults: a provider in trouble is not asked with all of them. */
const RESTING_TRIES_MAX = 2;

export type SendOptions = {
  readonly relay: AnswerRelay;
  readonly format: WireFormat;
  /** Whether the client asked for a stream: its first event comes sooner than a whole answer. */
  readonly isStream: boolean;
  /** Whether nothing is lost by asking twice while no answer was released. */
  readonly isRepeatable: boolean;
  /** Whether it counts for what a key may serve at once, and waits for that. */
  readonly takesSlot: boolean;
  /** Whether its body can hold a conversation. */
  readonly carriesReasoning: boolean;
  /** Null: nothing is recorded of it. */
  readonly attempts: AttemptLog | null;
  /** The call as it goes upstream with this credential. Null: the client there has its own. */
  toUpstreamCall(credential: UpstreamCredential | null, headMsMax: number): UpstreamCall;
};

/** With the caller's own credential once; else with the company's keys. Null: without them. */
export function sendWith(
  deps: RelayDeps,
  call: GatewayCall,
  chosen: ChosenCredential,
  options: SendOptions,
): KeyFailover | null {
  const { relay } = options;
  const headMsMax = options.isStream ? deps.streamHeadMsMax : deps.headMsMax;
  if (chosen.kind === "byok") {
    const listener = new CredentialGuard(relay, chosen.secret, options.format);
    options.attempts?.beganWithout("own", chosen.hint);
    const upstreamCall = options.toUpstreamCall(chosen.credential, headMsMax);
    relay.attach(sendUpstream(deps, call, options, { upstreamCall, listener }));
    return null;
  }
  const { keyHeader } = chosen;
  if (keyHeader === null) {
    // The upstream client signs by itself: there is no key to be told from others.
    options.attempts?.beganWithout("keyless", chosen.hint);
    const upstreamCall = options.toUpstreamCall(null, headMsMax);
    relay.attach(sendUpstream(deps, call, options, { upstreamCall, listener: relay }));
    return null;
  }
  const failover = new KeyFailover(deps, call, { options, headMsMax, keyHeader });
  failover.tryNext();
  return failover;
}

/** Where reasoning of another provider may be in a request, it is sent so that this does not end it. */
function sendUpstream(
  { stripsForeignReasoning, metrics, log }: RelayDeps,
  { upstream, provider }: GatewayCall,
  { format, carriesReasoning, attempts }: SendOptions,
  sent: { readonly upstreamCall: UpstreamCall; readonly listener: UpstreamListener },
): UpstreamExchange {
  const { upstreamCall, listener } = sent;
  if (!carriesReasoning || !stripsForeignReasoning) {
    return upstream.client.send(upstreamCall, listener);
  }
  return sendRepairing(upstream.client, upstreamCall, listener, {
    format,
    onRepaired: () => {
      attempts?.repaired();
      metrics.reasoningStripped.inc({ provider: provider.name });
      log.info({ provider: provider.name }, "signed reasoning of another place was left out");
    },
  });
}

type FailoverOptions = {
  readonly options: SendOptions;
  /** Longest wait for an answer to begin. */
  readonly headMsMax: number;
  /** Where a key goes. */
  readonly keyHeader: CredentialHeader;
};

/** One try with one key. */
type Try = {
  readonly key: ProviderKey;
  readonly beganAtMs: number;
  /** Null: the provider has no limit. */
  readonly slot: KeySlot | null;
};

type EnteredKey = {
  readonly key: ProviderKey;
  /** Others go on without the key until it is known how this try ends. */
  readonly isProbe: boolean;
  readonly isResting: boolean;
};

class KeyFailover {
  /** Of the key that served, or that was tried last. Empty: none was. */
  hint = "";
  attempts = 0;
  readonly #deps: RelayDeps;
  readonly #call: GatewayCall;
  readonly #options: SendOptions;
  readonly #headMsMax: number;
  readonly #keyHeader: CredentialHeader;
  readonly #tried = new Set<string>();
  readonly #trial: KeyTrial;
  readonly #beganAtMs: number;
  #hasWaited = false;
  /** For the next try. */
  #wait: { readonly for: "slot" | "rest"; readonly ms: number } | null = null;
  #restingTries = 0;
  #kept: { readonly answer: KeptAnswer; readonly key: ProviderKey } | null = null;
  /** Of the last try, if there was no answer. */
  #failure: UpstreamFailure | null = null;

  constructor(
    deps: RelayDeps,
    call: GatewayCall,
    { options, headMsMax, keyHeader }: FailoverOptions,
  ) {
    this.#deps = deps;
    this.#call = call;
    this.#options = options;
    this.#headMsMax = headMsMax;
    this.#keyHeader = keyHeader;
    this.#beganAtMs = deps.clock.monotonicMs();
    this.#trial = {
      policy: deps.keyAuthFailurePolicy,
      failover: options.isRepeatable ? deps.failover : "keys",
      isAccountNamed: namesAccount(call.req.headers),
    };
  }

  /** Begins; also goes on with the next key. */
  tryNext(): void {
    const { relay, takesSlot } = this.#options;
    const { state, provider, caller } = this.#call;
    if (takesSlot && state.slots.max !== null) {
      state.slots.ask({
        userId: caller.userId,
        keys: provider.keys,
        tried: this.#tried,
        takesResting: this.#restingTries < RESTING_TRIES_MAX,
        signal: () => relay.signal,
        onTurn: (turn) => this.#onTurn(turn),
      });
      return;
    }
    const next = this.#enterNext();
    if (next === null) this.#giveUp();
    else this.#tryWith(next, null);
  }

  #onTurn(turn: SlotTurn): void {
    const { metrics } = this.#deps;
    const { timing, provider } = this.#call;
    if (turn.kind === "slot") {
      if (turn.waitedMs !== null) {
        timing.mark("queue");
        this.#wait = { for: "slot", ms: turn.waitedMs };
        metrics.keyQueueSeconds.observe({ provider: provider.name }, turn.waitedMs / 1_000);
      }
      const entered = this.#enter(turn.key);
      if (entered !== null) {
        this.#tryWith(entered, turn.slot);
      } else {
        turn.slot.release();
        this.tryNext();
      }
    } else if (turn.kind === "none") {
      this.#giveUp();
    } else {
      metrics.keyQueueRefusals.inc({ provider: provider.name, reason: turn.reason });
      this.#giveUp(turn.reason);
    }
  }

  #tryWith(entered: EnteredKey, slot: KeySlot | null): void {
    const { key, isProbe, isResting } = entered;
    const { relay, format } = this.#options;
    const headMsMax = this.#headMsMax;
    const { state } = this.#call;
    const { clock } = this.#deps;
    if (isResting) this.#restingTries += 1;
    const tried: Try = { key, beganAtMs: clock.monotonicMs(), slot };
    this.#noteBegan(entered, tried.beganAtMs);
    this.#tried.add(key.id);
    this.hint = key.hint;
    this.attempts += 1;
    const seesFaults = this.#trial.failover === "faults";
    const guard = new CredentialGuard(relay, key.secret.reveal(), format);
    const holder = slot === null ? null : new SlotHolder(slot, guard, relay);
    const attempt = new Attempt({
      listener: holder ?? guard,
      format,
      faults: seesFaults ? { clock, beginMsMax: headMsMax } : null,
      judge: (status, headers) => judgeKey(status, headers, this.#trial),
      mayFailOver: () => this.#mayFailOver(),
      onSetAside: (aside) => this.#onSetAside(tried, aside),
      onReleased: (disposition, status) => this.#onReleased(tried, disposition, status),
      onCancelled: () => {
        if (isProbe) state.keys.leave(key.id);
      },
    });
    const credential = credentialOf(key, this.#keyHeader);
    const upstreamCall = this.#options.toUpstreamCall(credential, headMsMax);
    const sent = { upstreamCall, listener: attempt };
    attempt.attach(sendUpstream(this.#deps, this.#call, this.#options, sent));
    relay.attach(holder?.around(attempt) ?? attempt);
  }

  /** Before it counts as tried. */
  #noteBegan({ key, isProbe, isResting }: EnteredKey, beganAtMs: number): void {
    const { attempts } = this.#options;
    const wait = this.#wait;
    this.#wait = null;
    if (attempts === null) return;
    const { keys } = this.#call.provider;
    const tried = this.#tried;
    const waitedFor = wait?.for ?? null;
    const reason = keyReason({ key, keys, tried, isProbe, isResting, waitedFor });
    const passed = reason === "first" ? [] : this.#passedOver(key);
    const waitedMs = wait?.ms ?? null;
    attempts.began({ keyHint: key.hint, reason, passedOver: passed, waitedMs, beganAtMs });
  }

  #passedOver(picked: ProviderKey | null): PassedKey[] {
    const { state, provider } = this.#call;
    const now = this.#deps.clock.now();
    return passedOver(state.keys, { keys: provider.keys, tried: this.#tried, picked, now });
  }

  /** Null: another thread has begun to probe it a moment ago, so it is passed by. */
  #enter(key: ProviderKey): EnteredKey | null {
    const { keys } = this.#call.state;
    const isResting = keys.state(key.id) !== "valid";
    const seesFaults = this.#trial.failover === "faults";
    // Whoever does not look for faults cannot tell how a probe ended.
    const entered = seesFaults ? keys.enter(key.id, this.#headMsMax) : "free";
    if (entered === "out" && !isResting) return null;
    return { key, isProbe: entered === "probe", isResting };
  }

  #enterNext(): EnteredKey | null {
    for (;;) {
      const key = this.#nextKey();
      if (key === null) return null;
      const entered = this.#enter(key);
      if (entered !== null) return entered;
    }
  }

  #nextKey(): ProviderKey | null {
    const { state, provider } = this.#call;
    const key = state.keys.next(provider.keys, this.#tried);
    if (key !== null || this.#restingTries >= RESTING_TRIES_MAX) return key;
    return state.keys.lastResort(provider.keys, this.#tried);
  }

  #mayFailOver(): boolean {
    if (this.#trial.failover === "faults" && !this.#isInTime()) return false;
    return this.#nextKey() !== null;
  }

  /** What failed after long is not begun anew: the client's patience, and perhaps money, is spent. */
  #isInTime(): boolean {
    const { clock, failoverMsMax } = this.#deps;
    return failoverMsMax === 0 || clock.monotonicMs() - this.#beganAtMs < failoverMsMax;
  }

  #onSetAside(tried: Try, aside: SetAside): void {
    tried.slot?.release();
    this.#options.attempts?.setAside(aside);
    if (aside.kind === "refused" && isKeyMark(aside.disposition)) {
      this.#failure = null;
      const { status, message } = aside;
      markKey(this.#deps, this.#call, tried.key, {
        error: { status, message },
        mark: aside.disposition,
      });
      this.#options.attempts?.keyBecame(this.#call.state.keys.health(tried.key.id));
      this.tryNext();
      return;
    }
    this.#keepFault(tried, aside);
    if (this.#trial.failover === "faults" && !this.#isInTime()) this.#giveUp();
    else this.tryNext();
  }

  #keepFault(tried: Try, aside: SetAside): void {
    if (this.#trial.failover === "keys") return;
    const { log } = this.#deps;
    const { provider, state } = this.#call;
    const { key } = tried;
    const facts = { provider: provider.name, keyHint: key.hint };
    if (aside.kind === "failed") {
      const { failure } = aside;
      this.#failure = failure;
      const { kind, cause, detail } = failure;
      log.warn({ ...facts, kind, cause, detail }, "an attempt with a provider key failed");
      const isSilence = kind === "timeout";
      const message = `${FAILURE_TEXTS[kind]} (${cause})`;
      this.#markFault(tried, { isSilence, retryAfterMs: null }, { status: null, message });
      return;
    }
    const { answer } = aside;
    // A real answer beats a failure of the connection, whichever came later.
    if (answer !== null) {
      this.#kept = { answer, key };
      this.#options.attempts?.kept();
    }
    this.#failure = answer === null ? TOO_LONG : null;
    if (aside.kind === "refused" && aside.disposition.kind === "other_key") {
      state.keys.served(key.id);
      log.info({ ...facts, status: aside.status }, "a provider key was refused");
      return;
    }
    const { status, message } = aside.kind === "refused" ? aside : OVERLOADED;
    log.warn({ ...facts, status }, "an attempt with a provider key failed");
    const isFault = aside.kind === "refused" && aside.disposition.kind === "fault";
    const retryAfterMs = isFault ? aside.disposition.retryAfterMs : null;
    this.#markFault(tried, { isSilence: false, retryAfterMs }, { status, message });
  }

  #onReleased(tried: Try, disposition: KeyDisposition, status: number): void {
    if (this.#trial.failover === "keys") return;
    if (disposition.kind === "fault") {
      const { retryAfterMs } = disposition;
      const error = { status, message: `the model provider answered ${status}` };
      this.#markFault(tried, { isSilence: false, retryAfterMs }, error);
    } else {
      this.#call.state.keys.served(tried.key.id);
    }
  }

  #markFault({ key, beganAtMs }: Try, fault: Omit<KeyFault, "beganAtMs">, error: KeyError): void {
    markKeyFault(this.#deps, this.#call, key, { error, fault: { ...fault, beganAtMs } });
    this.#options.attempts?.keyBecame(this.#call.state.keys.health(key.id));
  }

  #giveUp(busy: keyof typeof BUSY | null = null): void {
    const { relay, format, attempts } = this.#options;
    if (this.#kept !== null) {
      const { answer, key } = this.#kept;
      this.hint = key.hint;
      attempts?.keptIsGiven();
      const listener = new CredentialGuard(relay, key.secret.reveal(), format);
      listener.head(answer.status, answer.rawHeaders);
      if (answer.body.byteLength > 0) listener.data(answer.body);
      listener.end();
    } else if (this.#failure !== null) {
      relay.failed(this.#failure);
    } else if (busy !== null) {
      attempts?.refused({ kind: busy, retryInMs: null, passedOver: this.#passedOver(null) });
      relay.refuse(BUSY[busy], "rate_limited");
    } else {
      this.#waitOrRefuse();
    }
  }

  #waitOrRefuse(): void {
    const { clock, metrics, keyWaitMsMax, log } = this.#deps;
    const { state, provider } = this.#call;
    const { relay } = this.#options;
    const exhausted = state.keys.exhausted(provider.keys);
    const waitMs = exhausted.kind === "rate_limited" ? exhausted.retryInMs : null;
    if (waitMs !== null && waitMs <= keyWaitMsMax && keyWaitMsMax > 0 && !this.#hasWaited) {
      this.#hasWaited = true;
      this.#tried.clear();
      clock.sleep(waitMs + TIMER_SLACK_MS, relay.signal).then(
        () => {
          this.#wait = { for: "rest", ms: waitMs };
          this.tryNext();
        },
        () => {}, // The client left, or this server stops: the relay has ended the call.
      );
      return;
    }
    const outcome = exhausted.kind === "rate_limited" ? "rate_limited" : "auth_failed";
    metrics.keyExhaustions.inc({ provider: provider.name, outcome });
    log.warn({ provider: provider.name, outcome, retryInMs: waitMs }, "no provider key is left");
    const errorType = exhausted.kind === "rate_limited" ? "rate_limited" : "unauthorized";
    this.#noteExhausted(exhausted);
    relay.refuse(keysExhausted(exhausted), errorType);
  }

  #noteExhausted(exhausted: KeysExhausted): void {
    const isResting = exhausted.kind === "rate_limited";
    this.#options.attempts?.refused({
      kind: isResting ? "keys_resting" : "keys_refused",
      retryInMs: isResting ? Math.round(exhausted.retryInMs) : null,
      passedOver: this.#passedOver(null),
    });
  }
}

const credentials = new WeakMap<ProviderKey, UpstreamCredential>();

/** The same for each call with the key: a snapshot's keys never change. */
function credentialOf(key: ProviderKey, header: CredentialHeader): UpstreamCredential {
  const known = credentials.get(key);
  if (known?.header === header) return known;
  const credential = toCredential(header, key.secret.reveal());
  credentials.set(key, credential);
  return credential;
}

/** What the client is told whose wait for a busy key had no success. */
const BUSY = { queue_full: FAILURE.keyQueueFull, queue_timeout: FAILURE.keyQueueTimeout } as const;

const FAILURE_TEXTS: Readonly<Record<UpstreamFailure["kind"], string>> = {
  unreachable: "the model provider could not be reached",
  timeout: "the model provider was silent for too long",
  cut: "the answer broke off before it began",
};
const OVERLOADED = { status: 200, message: "the model provider was overloaded" };
/** In place of an answer that was too long to keep. */
const TOO_LONG: UpstreamFailure = {
  kind: "cut",
  cause: "ANSWER_NOT_KEPT",
  detail: "the provider's error was too long to keep, or broke off",
};
