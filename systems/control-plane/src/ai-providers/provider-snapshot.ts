/**
 * Stored rows → the providers that the gateway serves (spec gateway 7.2). A row that cannot serve is
 * reported and left out: one mistake of an administrator does not take the other providers down.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import { Secret } from "@atelier/base/secret";
import { BaseUrl, type ModelProviderType } from "@atelier/contract/http/ai-providers";
import { bedrockMistakes } from "@atelier/contract/bedrock-settings";
import type {
  BedrockAccess,
  GatewayProvider,
  ProviderKey,
} from "@atelier/contract/rpc/gateway-ports";
import { sealedAt } from "../vault/sealed-column.ts";
import { VaultError, type Vault } from "../vault/vault.ts";
import { isKeyless, isSupportedType } from "./model-provider.ts";
import {
  BEDROCK_UNCONFIGURED,
  isOfBedrock,
  openSettings,
  type StoredSettings,
} from "./provider-settings.ts";

/** A stored provider with what may serve: of a disabled one, there are neither keys nor settings. */
export type ProviderRow = {
  readonly id: string;
  readonly type: ModelProviderType;
  readonly name: string;
  readonly enabled: boolean;
  readonly baseUrl: string;
  readonly keyConcurrencyMax: number | null;
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

/** What one row serves with, or why it cannot. */
export function buildProvider(
  row: ProviderRow,
  { vault, isByokAllowed }: Omit<BuildOptions, "previous">,
): Result<GatewayProvider, string> {
  const { id, name, type, baseUrl, enabled, keyConcurrencyMax } = row;
  const served = { id, name, type, baseUrl, enabled, keyConcurrencyMax };
  // Known by name, so that the gateway can say "disabled" instead of "unknown".
  if (!enabled) return ok({ ...served, keys: [], apiVersion: null, bedrock: null });
  if (!isSupportedType(type)) return fail(`unsupported provider type: "${type}"`);
  const url = BaseUrl.safeParse(baseUrl);
  if (!url.success) return fail(`base URL: ${url.error.issues[0]?.message ?? "not valid"}`);
  const settings = openedSettings(row, vault);
  if (!settings.ok) return settings;
  const bedrock = bedrockAccess(row, settings.value);
  if (!bedrock.ok) return bedrock;
  // Its requests are signed: the row's keys have nothing to do.
  if (bedrock.value !== null) {
    return ok({ ...served, keys: [], apiVersion: null, bedrock: bedrock.value });
  }
  if (row.keys.length === 0 && !isByokAllowed && !isKeyless(type)) return fail(withoutKeys(type));
  const keys = openKeys(row, vault);
  if (!keys.ok) return keys;
  const { api_version: apiVersion = null } = settings.value;
  return ok({ ...served, keys: keys.value, apiVersion, bedrock: null });
}

/** Spec gateway 7.2. */
function withoutKeys(type: ModelProviderType): string {
  return type === "anthropic"
    ? "anthropic provider has no api keys, no bedrock credentials, and BYOK is not enabled"
    : `${type} provider has no api keys configured and BYOK is not enabled`;
}

function openedSettings(row: ProviderRow, vault: Vault): Result<StoredSettings, string> {
  try {
    return ok(openSettings(vault, row));
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    return fail(`${row.type} settings: ${error.message}`);
  }
}

/** Null: the provider is not one of Bedrock. */
function bedrockAccess(
  { type, baseUrl }: ProviderRow,
  settings: StoredSettings,
): Result<BedrockAccess | null, string> {
  if (!isOfBedrock(type, settings)) {
    return type === "bedrock" ? fail(BEDROCK_UNCONFIGURED) : ok(null);
  }
  const [mistake] = bedrockMistakes(settings, baseUrl);
  if (mistake !== undefined) return fail(`bedrock: ${mistake.message}`);
  const secret = (value: string | undefined): Secret | null =>
    value === undefined ? null : new Secret(value);
  return ok({
    region: settings.region ?? null,
    model: settings.model ?? null,
    smallFastModel: settings.small_fast_model ?? null,
    accessKey: secret(settings.access_key),
    accessKeySecret: secret(settings.access_key_secret),
    sessionToken: secret(settings.session_token),
    bearerToken: secret(settings.bearer_token),
    profile: settings.profile ?? null,
    roleArn: settings.role_arn ?? null,
    externalId: settings.external_id ?? null,
    stsEndpoint: settings.sts_endpoint ?? null,
  });
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
    a.keyConcurrencyMax === b.keyConcurrencyMax &&
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
