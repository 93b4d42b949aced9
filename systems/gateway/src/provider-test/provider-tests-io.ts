/**
 * Tries a provider out as the gateway would use it: the same client, the same headers, its own keys.
 * With each key a request that costs nothing, then a completion of a few tokens.
 *
 * A test is not a client's request: it is not recorded as use, and whatever comes of it changes
 * nothing that is known of keys and breakers. So a test can never take a serving key out of service,
 * nor put one back that an operator has not reset.
 */
import type { Clock } from "@atelier/base/clock";
import type { ProviderCheckKind } from "@atelier/contract/http/ai-provider-test";
import type {
  GatewayProvider,
  ProviderCheck,
  ProviderKey,
  ProviderKeyTest,
  ProviderTester,
} from "@atelier/contract/rpc/gateway-ports";
import { toCredential } from "../headers/upstream-headers.ts";
import { providerKindOf, type ProviderKind } from "../routing/provider-kinds.ts";
import type { UpstreamCall, UpstreamClient } from "../upstream/upstream-client.ts";
import { toUpstreamTarget } from "../upstream/upstream-target.ts";
import { cheapModelIn, testPlanOf, type ProviderTestPlan } from "./test-plan.ts";
import { judgeTry, type TryResult } from "./test-verdict.ts";
import { tryOnce } from "./try-once-io.ts";

export type ProviderTestDeps = {
  readonly clock: Clock;
  /** A client of its own for each test, so that DNS, connection and TLS are tried as well. */
  openClient(origin: string): UpstreamClient;
  /** As UpstreamPools has it: a client that speaks another protocol than its callers. Null: none. */
  translate(
    provider: GatewayProvider,
    client: UpstreamClient,
  ): { readonly client: UpstreamClient } | null;
};

/** Somewhat longer than the client waits for a connection, which explains itself better. */
const FREE_MS_MAX = 12_000;
const COMPLETION_MS_MAX = 15_000;

/** Such a name makes Bedrock's small model serve. */
const SMALL_MODEL = "haiku";

type Test = {
  readonly provider: GatewayProvider;
  readonly plan: ProviderTestPlan;
  readonly kind: ProviderKind;
  readonly client: UpstreamClient;
  readonly model: string | null;
  readonly signal: AbortSignal;
};

export class ProviderTests implements ProviderTester {
  readonly #deps: ProviderTestDeps;

  constructor(deps: ProviderTestDeps) {
    this.#deps = deps;
  }

  async test(
    provider: GatewayProvider,
    { model, signal }: { readonly model: string | null; readonly signal: AbortSignal },
  ): Promise<readonly ProviderKeyTest[]> {
    const plan = testPlanOf(provider.type);
    const kind = providerKindOf(provider);
    if (plan === null || kind === null) {
      const note = `Providers of type ${provider.type} cannot be tested: ask a model through the gateway.`;
      return [{ keyId: null, checks: [], notes: [note] }];
    }
    const client = this.#deps.openClient(new URL(provider.baseUrl).origin);
    try {
      const translated = this.#deps.translate(provider, client);
      const test = { provider, plan, kind, client: translated?.client ?? client, model, signal };
      if (translated !== null) return [await this.#testTranslated(test)];
      if (kind.keyHeader === null || provider.keys.length === 0) {
        return [await this.#testReachability(test)];
      }
      return await Promise.all(provider.keys.map((key) => this.#testKey(test, key)));
    } finally {
      await client.close();
    }
  }

  /** The free request alone, with one key. Null: there is none that only a good key is answered. */
  async checkKey(
    provider: GatewayProvider,
    key: ProviderKey,
    signal: AbortSignal,
  ): Promise<ProviderCheck | null> {
    const plan = testPlanOf(provider.type);
    const kind = providerKindOf(provider);
    if (plan === null || kind === null || kind.keyHeader === null) return null;
    if (provider.bedrock !== null) return null;
    const { origin, pathname } = new URL(provider.baseUrl);
    if (plan.lacksFreePath(pathname)) return null;
    const client = this.#deps.openClient(origin);
    try {
      const test = { provider, plan, kind, client, model: null, signal };
      return (await this.#check(test, { kind: "credential", key, model: null })).check;
    } finally {
      await client.close();
    }
  }

  /** Whatever it answers without a credential, it was there. */
  async #testReachability(test: Test): Promise<ProviderKeyTest> {
    const { check } = await this.#check(test, { kind: "reachability", key: null, model: null });
    const notes = [
      test.kind.keyHeader === null
        ? `Providers of type ${test.provider.type} take nothing but their users' own credentials, so only reachability was tested.`
        : "The provider has no keys: callers bring their own, so only reachability was tested.",
    ];
    return { keyId: null, checks: [check], notes };
  }

  /** It signs by itself, and has a model of its own for small requests. */
  async #testTranslated(test: Test): Promise<ProviderKeyTest> {
    const model = test.model ?? SMALL_MODEL;
    const { check } = await this.#check(test, { kind: "completion", key: null, model });
    return { keyId: null, checks: [check], notes: [] };
  }

  async #testKey(test: Test, key: ProviderKey): Promise<ProviderKeyTest> {
    const { plan, provider } = test;
    const notes: string[] = [];
    const checks: ProviderCheck[] = [];
    let { model } = test;
    if (plan.lacksFreePath(new URL(provider.baseUrl).pathname)) {
      notes.push("There is no free check for this base URL.");
    } else {
      const free = await this.#check(test, { kind: "credential", key, model: null });
      checks.push(free.check);
      if (!mayGoOn(free.check, model)) return { keyId: key.id, checks, notes };
      if (free.check.outcome === "ok") model ??= cheapModelIn(plan, free.body);
    }
    if (model === null) notes.push("No completion was tried: name a model for that.");
    else checks.push((await this.#check(test, { kind: "completion", key, model })).check);
    return { keyId: key.id, checks, notes };
  }

  async #check(
    test: Test,
    wanted: {
      readonly kind: ProviderCheckKind;
      readonly key: ProviderKey | null;
      readonly model: string | null;
    },
  ): Promise<{ readonly check: ProviderCheck; readonly body: Uint8Array }> {
    const { clock } = this.#deps;
    const { kind, key, model } = wanted;
    const startedMs = clock.monotonicMs();
    const result = await tryOnce(test.client, toCall(test, key, model), {
      clock,
      signal: test.signal,
      timeoutMs: model === null ? FREE_MS_MAX : COMPLETION_MS_MAX,
    });
    const latencyMs = Math.round(clock.monotonicMs() - startedMs);
    const { format } = test.plan.completion;
    const secret = key?.secret ?? null;
    const verdict = judgeTry(result, { kind, provider: test.provider, format, model, secret });
    return {
      check: { kind, status: statusOf(result), latencyMs, model, ...verdict },
      body: result.kind === "answered" ? result.body : new Uint8Array(),
    };
  }
}

/** A key of limited rights, or a service without lists, may still serve the model that is named. */
function mayGoOn({ outcome, status }: ProviderCheck, model: string | null): boolean {
  return outcome === "ok" || (model !== null && [403, 404, 405].includes(status ?? 0));
}

function toCall(
  { provider, plan, kind }: Test,
  key: ProviderKey | null,
  model: string | null,
): UpstreamCall {
  const { pathname } = new URL(provider.baseUrl);
  const basePath = pathname.replace(/\/+$/, "");
  const target = (path: string): string =>
    toUpstreamTarget({ basePath, apiVersion: provider.apiVersion }, path, "");
  const headers = ["accept", "application/json", "user-agent", "atelier", ...plan.headers];
  if (key !== null && kind.keyHeader !== null) {
    const { header, value } = toCredential(kind.keyHeader, key.secret.reveal());
    headers.push(header, value);
  }
  if (model === null) return { method: "GET", path: target(plan.freePath), headers, body: null };
  return {
    method: "POST",
    path: target(plan.completion.path),
    headers: [...headers, "content-type", "application/json"],
    body: Buffer.from(JSON.stringify(plan.completion.toBody(model))),
  };
}

function statusOf(result: TryResult): number | null {
  return result.kind === "answered" ? result.status : null;
}
