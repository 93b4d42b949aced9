/**
 * Every option of the server, and the one place that reads arguments and environment.
 *
 * Help, reference page, deployment page and parsing are all made from `OPTIONS`. To add an option:
 * add a row here, use it in compose.ts, run `npm run gen`.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import { parsePreviewWildcard, type PreviewWildcard } from "@atelier/contract/preview-address";
import type { ControlPlaneConfig } from "@atelier/control-plane/start";
import { formatAddress } from "@atelier/host/option-value";
import { describeOptions, type OptionRow } from "@atelier/host/option-texts";
import type { Address, Option, OptionValues } from "@atelier/host/option";
import { parseOptions } from "@atelier/host/options";
import { readFileSync } from "node:fs";
import { BlockList, isIP } from "node:net";
import { resolve } from "node:path";
import { CHAT_OPTIONS } from "./chat-options.ts";
import { GATEWAY_OPTIONS } from "./gateway-options.ts";
import { TRACE_OPTIONS, tracingOf, type TracingConfig, type TraceValue } from "./trace-options.ts";
import { PROVIDER_FAMILY, PROVIDER_OPTIONS } from "./provider-options.ts";
import { toProviderSeeds, uselessProviderOptions } from "./provider-seeds.ts";

const ENCRYPTION_KEY_BYTES = 32;

export const OPTIONS = [
  {
    name: "http-address",
    kind: "address",
    default: "127.0.0.1:3000",
    group: "Network",
    description:
      "Where the server listens for HTTP. A port alone, as in :3000, means every interface. TLS is the task of a proxy in front.",
  },
  {
    name: "access-url",
    kind: "url",
    default: null,
    defaultText: "http:// and the http-address",
    group: "Network",
    description:
      "Where people and their tools reach this deployment. With https, cookies are sent over TLS only.",
  },
  {
    name: "wildcard-access-url",
    kind: "string",
    default: null,
    defaultText: "ports are not shown; people forward them to their own machines",
    group: "Network",
    description:
      "Hosts below which each port of a workspace can be opened in a browser, such as *.apps.example.com or https://*-apps.example.com:8443. Scheme and port are the access-url's where none are written. All of them must lead to this server, with a certificate for them.",
  },
  {
    name: "relay-url",
    kind: "url",
    default: null,
    defaultText: "http:// and the http-address; of every interface, this machine's first address",
    aliases: ["CODER_DERP_SERVER_RELAY_URL"],
    group: "Network",
    description:
      "Where the other servers of this deployment reach this one itself, not a balancer in front. Used when a workspace is connected to another server than its user, and for what chats are writing while people on other servers watch.",
  },
  {
    name: "proxy-trusted-origins",
    kind: "list",
    default: [],
    check: (text: string) => (subnetOf(text) === null ? "is no IP address or CIDR range" : null),
    group: "Network",
    description:
      "Addresses or CIDR ranges of the proxies in front, whose X-Forwarded-For and X-Forwarded-Proto are believed. Nobody else's are.",
  },
  {
    name: "api-rate-limit",
    kind: "int",
    default: 512,
    min: 0,
    max: 1_000_000,
    group: "Network",
    description:
      "Requests to the API per minute for each user, or each address where nobody is signed in. 0 means no limit.",
  },
  {
    name: "data-dir",
    kind: "string",
    default: ".data",
    defaultText: ".data in the current directory",
    group: "Storage",
    description:
      "Directory for what the server keeps on disk: the embedded Postgres and a generated encryption key. It is made when absent. Back it up.",
  },
  {
    name: "postgres-url",
    kind: "secret",
    default: null,
    defaultText: "an embedded Postgres inside the data-dir",
    check: (text: string) =>
      /^postgres(?:ql)?:\/\//.test(text) ? null : "does not begin with postgres://",
    aliases: ["CODER_PG_CONNECTION_URL"],
    group: "Storage",
    description: "Postgres 15 or later to use, as postgres://user:password@host:5432/database.",
  },
  {
    name: "postgres-connections-max",
    kind: "int",
    default: 20,
    min: 2,
    max: 1_000,
    group: "Storage",
    description:
      "Most connections that this server opens to Postgres at the same time. Gateway workers open their own beside them.",
  },
  {
    name: "audit-retention",
    kind: "duration",
    default: "0",
    aliases: ["CODER_AUDIT_LOGS_RETENTION"],
    group: "Storage",
    description: "How long audit events are kept. 0 means forever.",
  },
  {
    name: "connection-log-retention",
    kind: "duration",
    default: "90d",
    aliases: ["CODER_CONNECTION_LOGS_RETENTION"],
    group: "Storage",
    description: "How long the log of connections to workspaces is kept. 0 means forever.",
  },
  {
    name: "session-duration",
    kind: "duration",
    default: "24h",
    minMs: 60_000,
    group: "Security",
    description: "How long a sign-in lasts without use.",
  },
  {
    name: "default-token-lifetime",
    kind: "duration",
    default: "168h",
    minMs: 60_000,
    group: "Security",
    description: "How long an API token lasts when its maker does not say.",
  },
  {
    name: "max-token-lifetime",
    kind: "duration",
    default: "876600h",
    minMs: 60_000,
    group: "Security",
    description: "The longest lifetime that an API token can be given.",
  },
  {
    name: "external-token-encryption-keys",
    kind: "secrets",
    default: [],
    defaultText: "a key generated into encryption.key in the data-dir",
    check: encryptionKeyMistake,
    group: "Security",
    description:
      "Keys that encrypt stored credentials, each the base64 of 32 random bytes. The first encrypts, all decrypt. Every replica needs the same ones.",
  },
  ...GATEWAY_OPTIONS,
  ...CHAT_OPTIONS,
  ...PROVIDER_OPTIONS,
  {
    name: "log-format",
    kind: "choice",
    default: "human",
    choices: ["human", "json"],
    group: "Operations",
    description: "How the log, on standard error, is written.",
  },
  {
    name: "log-level",
    kind: "choice",
    default: "info",
    choices: ["debug", "info", "warn", "error"],
    group: "Operations",
    description: "The least serious log lines that are written.",
  },
  {
    name: "prometheus-enable",
    kind: "bool",
    default: false,
    group: "Operations",
    description: "Serve metrics for Prometheus at /metrics of the prometheus-address.",
  },
  {
    name: "prometheus-address",
    kind: "address",
    default: "127.0.0.1:2112",
    optional: true,
    group: "Operations",
    description:
      "Where metrics are served. Empty means the http-address, where everybody who reaches the server can read them.",
  },
  ...TRACE_OPTIONS,
  {
    name: "shutdown-timeout",
    kind: "duration",
    default: "10s",
    group: "Operations",
    description: "How long requests and streams under way may go on after a signal to stop.",
  },
  {
    name: "config",
    kind: "string",
    default: null,
    group: "Operations",
    description:
      "YAML file with options, each by its name as here: http-address: 127.0.0.1:3000. Lists are YAML lists.",
  },
] as const satisfies readonly Option[];

/** For people: those of families too, with `<n>` for their number. */
export const ALL_OPTIONS: readonly Option[] = [...OPTIONS, ...PROVIDER_FAMILY];

/** Variables with our prefix that belong to the command line tool and to tests. */
const ENVIRONMENT_OF_OTHERS = [
  "ATELIER_URL",
  "ATELIER_TOKEN",
  "ATELIER_SESSION_TOKEN",
  "ATELIER_CONFIG_DIR",
  "ATELIER_TEST_*",
  "ATELIER_SIMULATE_*",
];

export type ServerConfig = Omit<
  OptionValues<typeof OPTIONS>,
  "accessUrl" | "proxyTrustedOrigins" | "wildcardAccessUrl" | TraceValue
> & {
  /** Null: ports of workspaces have no hosts. */
  readonly previewWildcard: PreviewWildcard | null;
  /** As given, or how the server is reached from its own machine. */
  readonly accessUrl: string;
  readonly givenAccessUrl: string | null;
  readonly trustedProxies: BlockList;
  /** Null: nothing is traced. */
  readonly tracing: TracingConfig | null;
  /** Model providers that the start stores where they are missing. */
  readonly providerSeeds: ControlPlaneConfig["providerSeeds"];
  /** The options as people see them, secrets masked. */
  readonly optionRows: readonly OptionRow[];
  /** Allowed, but not wise. For the log. */
  readonly warnings: readonly string[];
};

export type ConfigInputs = {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => string;
};

/** What this process was started with, after `argumentsToSkip` words such as a subcommand. */
export function processInputs(argumentsToSkip = 0): ConfigInputs {
  return {
    argv: process.argv.slice(2 + argumentsToSkip),
    env: process.env,
    readFile: (path) => readFileSync(path, "utf8"),
  };
}

/** The whole configuration, or every mistake in it. */
export function parseConfig(inputs: ConfigInputs): Result<ServerConfig, readonly string[]> {
  const given = { ...inputs, environmentOfOthers: ENVIRONMENT_OF_OTHERS };
  const parsed = parseOptions(OPTIONS, given, { providers: PROVIDER_FAMILY });
  if (!parsed.ok) return parsed;
  const {
    accessUrl: givenUrl,
    proxyTrustedOrigins,
    wildcardAccessUrl,
    ...values
  } = parsed.value.values;
  const mistakes = contradictions(parsed.value.values);
  const accessUrl = givenUrl ?? `http://${formatAddress(reachable(values.httpAddress))}`;
  const wildcard = wildcardOf(wildcardAccessUrl, accessUrl);
  const seeds = toProviderSeeds(values, parsed.value.families.providers);
  const allMistakes = [mistakes, wildcard, seeds].flatMap((part) =>
    "ok" in part ? (part.ok ? [] : part.failure) : part,
  );
  if (!seeds.ok || !wildcard.ok || allMistakes.length > 0) return fail(allMistakes);
  return ok(
    Object.freeze({
      ...values,
      accessUrl,
      givenAccessUrl: givenUrl,
      dataDir: resolve(values.dataDir),
      aiGatewayDumpDir: values.aiGatewayDumpDir === null ? null : resolve(values.aiGatewayDumpDir),
      previewWildcard: wildcard.value,
      tracing: tracingOf(parsed.value.values),
      trustedProxies: blockListOf(proxyTrustedOrigins),
      providerSeeds: seeds.value,
      optionRows: describeOptions(OPTIONS, parsed.value).map((row) =>
        row.name === "access-url" ? { ...row, value: accessUrl } : row,
      ),
      warnings: [
        ...parsed.value.warnings,
        ...doubts(values.httpAddress, givenUrl),
        ...wildcardDoubts(wildcard.value, accessUrl),
        ...uselessProviderOptions(values),
      ],
    }),
  );
}

/** An address under which a server that listens at `address` can be reached from the same machine. */
export function reachable({ host, port }: Address): Address {
  return { host: ["", "0.0.0.0", "::"].includes(host) ? "127.0.0.1" : host, port };
}

function contradictions(values: OptionValues<typeof OPTIONS>): readonly string[] {
  return values.defaultTokenLifetimeMs > values.maxTokenLifetimeMs
    ? ["default-token-lifetime is longer than max-token-lifetime"]
    : [];
}

function doubts(httpAddress: Address, accessUrl: string | null): readonly string[] {
  const isOnEveryInterface = reachable(httpAddress).host !== httpAddress.host;
  if (!isOnEveryInterface || accessUrl !== null) return [];
  return [
    "listening on every interface without --access-url: the server knows itself only as 127.0.0.1",
  ];
}

function wildcardOf(
  text: string | null,
  accessUrl: string,
): Result<PreviewWildcard | null, readonly string[]> {
  if (text === null) return ok(null);
  const parsed = parsePreviewWildcard(text, accessUrl);
  return parsed.ok ? parsed : fail([`wildcard-access-url ${parsed.failure}`]);
}

function wildcardDoubts(wildcard: PreviewWildcard | null, accessUrl: string): readonly string[] {
  if (wildcard?.scheme !== "http" || !accessUrl.startsWith("https:")) return [];
  return [
    "the wildcard-access-url is http where the access-url is https: browsers show no previews beside chats then, and their cookies travel in clear",
  ];
}

/** The end of a sentence, or null for a key that can be one. */
export function encryptionKeyMistake(text: string): string | null {
  const isKey = Buffer.from(text, "base64").length === ENCRYPTION_KEY_BYTES;
  return isKey ? null : "is not the base64 of 32 bytes; make one with: openssl rand -base64 32";
}

type Subnet = {
  readonly address: string;
  readonly prefix: number;
  readonly family: "ipv4" | "ipv6";
};

function subnetOf(text: string): Subnet | null {
  const [, address = "", prefixText] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  const prefixMax = version === 4 ? 32 : 128;
  const prefix = prefixText === undefined ? prefixMax : Number(prefixText);
  if (version === 0 || prefix > prefixMax) return null;
  return { address, prefix, family: version === 4 ? "ipv4" : "ipv6" };
}

function blockListOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const subnet = subnetOf(range);
    if (subnet !== null) list.addSubnet(subnet.address, subnet.prefix, subnet.family);
  }
  return list;
}
