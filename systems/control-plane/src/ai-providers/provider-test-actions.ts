/**
 * Testing a model provider with tiny real requests: by the gateway of this process, with the stored
 * keys, whether they and the provider are switched on or off. Like everything that spends a key it is
 * audited, before it begins. Nothing is stored, and nothing becomes of it for keys in service.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import type { GatewayHealth, ProviderKeyTest } from "@atelier/contract/rpc/gateway-ports";
import type { Database, Sql } from "@atelier/database/database";
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { Vault } from "../vault/vault.ts";
import { findProvider } from "./model-provider-actions.ts";
import { listSealedKeys, type SealedKeyRow } from "./model-provider-store.ts";
import type { ModelProvider, ModelProviderKey } from "./model-provider.ts";
import { buildProvider } from "./provider-snapshot.ts";
import type { ProviderTestAdmission } from "./provider-test-admission.ts";

export type ProviderTestDeps = {
  readonly database: Database;
  readonly vault: Vault;
  readonly tests: ProviderTestAdmission;
  readonly health: GatewayHealth;
};

export type ProviderTestWish = {
  readonly provider: string;
  readonly model: string | null;
  /** Null: all of the provider's. */
  readonly keyId: string | null;
  readonly signal: AbortSignal;
};

export type ReportedKeyTest = Omit<ProviderKeyTest, "keyId"> & {
  readonly key: ModelProviderKey | null;
};

export type ReportedProviderTest = {
  readonly provider: ModelProvider;
  readonly results: readonly ReportedKeyTest[];
  readonly notes: readonly string[];
};

type TestFailure = Failure<
  "request.invalid" | "resource.not_found" | "ai_provider.test_unavailable"
>;

export async function testProvider(
  deps: ProviderTestDeps,
  audit: AuditTrail,
  wish: ProviderTestWish,
): Promise<Result<ReportedProviderTest, TestFailure>> {
  audit.attempted({ resourceId: null, target: wish.provider });
  const admitted = deps.tests.admit();
  if (typeof admitted === "string") return fail(notAdmitted(admitted));
  using place = admitted;
  const found = await deps.database.transaction((sql) => findTested(sql, audit, wish));
  if (!found.ok) return found;
  const { provider, keys } = found.value;
  const built = buildProvider(
    { ...provider, enabled: true, keys },
    { vault: deps.vault, isByokAllowed: true },
  );
  const notes = provider.enabled ? [] : ["The provider is disabled: it serves nobody."];
  if (!built.ok) return ok({ provider, results: [], notes: [...notes, built.failure] });
  const { model, signal } = wish;
  const tested = await place.tester.test(built.value, { model, signal });
  const results = tested.map((each) => reportedTest(deps, provider, each));
  return ok({ provider, results, notes });
}

function notAdmitted(reason: "busy" | "no_gateway"): TestFailure {
  const detail =
    reason === "busy"
      ? "Other tests are under way in this server."
      : "The gateway of this server is switched off.";
  return { code: "ai_provider.test_unavailable", detail };
}

type Tested = { readonly provider: ModelProvider; readonly keys: readonly SealedKeyRow[] };

async function findTested(
  sql: Sql,
  audit: AuditTrail,
  { provider: ref, keyId, model }: ProviderTestWish,
): Promise<Result<Tested, Failure<"request.invalid" | "resource.not_found">>> {
  const found = await findProvider(sql, ref);
  if (!found.ok) return found;
  const provider = found.value;
  audit.attempted({ resourceId: provider.id, target: provider.name });
  const all = await listSealedKeys(sql, [provider.id], { isEnabledOnly: false });
  const keys = all.filter((key) => keyId === null || key.id === keyId.toLowerCase());
  if (keyId !== null && keys.length === 0) return fail({ code: "resource.not_found" });
  const additionalFields = { test: true, model, keys: keys.map(({ id }) => id) };
  await audit.record(sql, { resourceId: provider.id, target: provider.name, additionalFields });
  return ok({ provider, keys });
}

/** With what else an operator wants to know of the key. */
function reportedTest(
  { health }: ProviderTestDeps,
  provider: ModelProvider,
  { keyId, checks, notes }: ProviderKeyTest,
): ReportedKeyTest {
  const key = provider.keys.find(({ id }) => id === keyId) ?? null;
  const more: string[] = [];
  if (key !== null && key.disabledAt !== null)
    more.push("This key is disabled: it does not serve.");
  const known = health.keysOf(provider.id).find((each) => each.keyId === keyId);
  if (known !== undefined && known.state !== "valid") {
    more.push(
      "This server does not use the key at the moment, whatever came of the test: reset it to use it again.",
    );
  }
  return { key, checks, notes: [...notes, ...more] };
}
