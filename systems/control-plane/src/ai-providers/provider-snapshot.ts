/**
 * Stored rows → the providers that the gateway serves (spec gateway 7.2). A row that cannot serve is
 * reported and left out: one mistake of an administrator does not take the other providers down.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import { BaseUrl, type ModelProviderType } from "@atelier/contract/http/ai-providers";
import type { GatewayProvider, ProviderKey } from "@atelier/contract/rpc/gateway-ports";
import { sealedAt } from "../vault/sealed-column.ts";
import { VaultError, type Vault } from "../vault/vault.ts";
import { isKeyless, isSupportedType } from "./model-provider.ts";
import { openSettings } from "./provider-settings.ts";

/** A stored provider with what may serve: of a disabled one, there are neither keys nor settings. */
export type ProviderRow = {
  readonly id: string;
  readonly type: ModelProviderType;
  readonly name: string;
  readonly enabled: boolean;
  readonly baseUrl: string;
  readonly sealedSettings: Uint8Array | null;
  readonly keys: readonly {
    readonly id: string;
    readonly sealed: Uint8Array;
    readonly masked: string;
  }[];
};

/** Notified of each change; the payload is empty. */
export const PROVIDERS_CHANNEL = "ai_providers_changed";

export type ProviderRowError = { readonly row: ProviderRow; readonly error: string };

export type BuiltProviders = {
  readonly providers: ReadonlyMap<string, GatewayProvider>;
  readonly errors: readonly ProviderRowError[];
  /** The rows behind `providers`, by id: an unchanged row keeps its object. */
  readonly rows: ReadonlyMap<string, ProviderRow>;
};

export const NO_PROVIDERS: BuiltProviders = { providers: new Map(), errors: [], rows: new Map() };

/** What administrators are told of the providers this server serves. */
export interface ProviderStatus {
  /** Why the provider is left out. Null when it is not. */
  errorOf(providerId: string): string | null;
  /** Takes over what is stored now. Resolves soon also when that fails, which is retried. */
  refresh(): Promise<void>;
}

export type BuildOptions = {
  readonly vault: Vault;
  /** Without it a provider needs a key of its own to be of use. */
  readonly isByokAllowed: boolean;
  readonly previous: BuiltProviders;
};

export function buildProviders(
  rows: readonly ProviderRow[],
  { vault, isByokAllowed, previous }: BuildOptions,
): BuiltProviders {
  const providers = new Map<string, GatewayProvider>();
  const errors: ProviderRowError[] = [];
  for (const row of rows) {
    const before = previous.providers.get(row.name);
    const rowBefore = previous.rows.get(row.id);
    if (before?.id === row.id && rowBefore !== undefined && isSameRow(rowBefore, row)) {
      providers.set(row.name, before);
      continue;
    }
    const built = buildProvider(row, { vault, isByokAllowed });
    if (built.ok) providers.set(row.name, built.value);
    else errors.push({ row, error: built.failure });
  }
  const usedRows = rows.filter((row) => providers.has(row.name));
  return { providers, errors, rows: new Map(usedRows.map((row) => [row.id, row])) };
}

/** Whether there was something to serve and none of it can be. */
export function haveAllFailed(rows: readonly ProviderRow[], built: BuiltProviders): boolean {
  const enabled = rows.filter((row) => row.enabled);
  return enabled.length > 0 && enabled.every((row) => !built.providers.has(row.name));
}

const KEY_COLUMN = { name: "ai_provider_keys/sealed_key" } as const;

/** The place that a provider's key is sealed at. */
export function keySealedAt(keyId: string): string {
  return sealedAt(KEY_COLUMN, keyId);
}

function buildProvider(
  row: ProviderRow,
  { vault, isByokAllowed }: Omit<BuildOptions, "previous">,
): Result<GatewayProvider, string> {
  const { id, name, type, baseUrl, enabled } = row;
  const served = { id, name, type, baseUrl, enabled };
  // Known by name, so that the gateway can say "disabled" instead of "unknown".
  if (!enabled) return ok({ ...served, keys: [], apiVersion: null });
  if (!isSupportedType(type)) return fail(`unsupported provider type: "${type}"`);
  const url = BaseUrl.safeParse(baseUrl);
  if (!url.success) return fail(`base URL: ${url.error.issues[0]?.message ?? "not valid"}`);
  if (row.keys.length === 0 && !isByokAllowed && !isKeyless(type)) {
    return fail(`${type} provider has no api keys configured and BYOK is not enabled`);
  }
  try {
    const { api_version: apiVersion = null } = openSettings(vault, row);
    const keys = openKeys(row, vault);
    return keys.ok ? ok({ ...served, keys: keys.value, apiVersion }) : keys;
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    return fail(`${type} settings: ${error.message}`);
  }
}

function openKeys(row: ProviderRow, vault: Vault): Result<readonly ProviderKey[], string> {
  try {
    return ok(
      row.keys.map((key) => ({
        id: key.id,
        secret: vault.open(key.sealed, keySealedAt(key.id)),
        hint: key.masked,
      })),
    );
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    return fail(`${row.type} key pool: ${error.message}`);
  }
}

function isSameRow(a: ProviderRow, b: ProviderRow): boolean {
  return (
    a.type === b.type &&
    a.name === b.name &&
    a.enabled === b.enabled &&
    a.baseUrl === b.baseUrl &&
    areSameBytes(a.sealedSettings, b.sealedSettings) &&
    a.keys.length === b.keys.length &&
    a.keys.every((key, index) => {
      const other = b.keys[index];
      return other?.id === key.id && areSameBytes(other.sealed, key.sealed);
    })
  );
}

function areSameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : Buffer.compare(a, b) === 0;
}
