/** The server's real table of options. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { environmentNamesOf, propertyOf } from "@atelier/host/option";
import { defaultOf } from "@atelier/host/option-value";
import { OPTIONS, parseConfig, type ConfigInputs, type ServerConfig } from "./config.ts";
import { helpText, mistakesText, readyText } from "./start-texts.ts";
import { traceHeadersOf } from "./trace-options.ts";

function configOf(inputs: Partial<ConfigInputs> = {}): ServerConfig {
  const config = parseConfig({ argv: [], env: {}, readFile: () => "", ...inputs });
  assert.ok(config.ok, config.ok ? "" : config.failure.join("\n"));
  return config.value;
}

function mistakesOf(inputs: Partial<ConfigInputs>): readonly string[] {
  const config = parseConfig({ argv: [], env: {}, readFile: () => "", ...inputs });
  return config.ok ? [] : config.failure;
}

test("every default is a value of its kind, and no two options share a name or a variable", () => {
  for (const option of OPTIONS) assert.doesNotThrow(() => defaultOf(option), option.name);
  for (const names of [OPTIONS.map(propertyOf), OPTIONS.flatMap(environmentNamesOf)]) {
    assert.equal(new Set(names).size, names.length);
  }
});

test("without any input the server listens on this machine only and knows its own URL", () => {
  const config = configOf();
  assert.deepEqual(config.httpAddress, { host: "127.0.0.1", port: 3000 });
  assert.equal(config.accessUrl, "http://127.0.0.1:3000");
  assert.equal(config.dataDir, `${process.cwd()}/.data`);
  assert.deepEqual(config.warnings, []);
  assert.ok(Object.isFrozen(config));
});

test("previews take the access URL's scheme and port, and a wildcard that is none is a mistake", () => {
  const argv = ["--wildcard-access-url", "*.apps.example.com"];
  const url = ["--access-url", "https://atelier.example.com"];
  assert.equal(configOf().previewWildcard, null);
  assert.deepEqual(configOf({ argv: [...argv, ...url] }).previewWildcard, {
    ...{ scheme: "https", ending: ".apps.example.com", port: "" },
  });
  assert.deepEqual(configOf({ argv }).previewWildcard?.port, ":3000");
  const covering = ["--wildcard-access-url", "*.example.com", ...url];
  assert.match(mistakesOf({ argv: covering }).join(), /^wildcard-access-url covers the access-url/);
  const plain = configOf({ argv: ["--wildcard-access-url", "http://*.apps.example.com", ...url] });
  assert.match(plain.warnings.join(), /http where the access-url is https/);
});

test("the access URL follows the address, and an open server without one is warned about", () => {
  assert.equal(configOf({ argv: ["--http-address", "[::1]:80"] }).accessUrl, "http://[::1]:80");
  const open = configOf({ argv: ["--http-address", ":4000"] });
  assert.equal(open.accessUrl, "http://127.0.0.1:4000");
  assert.match(open.warnings.join(), /every interface without --access-url/);
  const argv = ["--http-address", "0.0.0.0:4000", "--access-url", "https://atelier.example.com/"];
  const named = configOf({ argv });
  assert.deepEqual([named.accessUrl, named.warnings], ["https://atelier.example.com", []]);
});

for (const [variable, value, property, expected] of [
  ["CODER_HTTP_ADDRESS", "127.0.0.1:4000", "httpAddress", { host: "127.0.0.1", port: 4000 }],
  ["CODER_ACCESS_URL", "http://x.example", "accessUrl", "http://x.example"],
  ["CODER_AI_GATEWAY_RETENTION", "30d", "aiGatewayRetentionMs", 30 * 86_400_000],
  ["CODER_AIBRIDGE_RETENTION", "30d", "aiGatewayRetentionMs", 30 * 86_400_000],
  ["CODER_AIBRIDGE_ENABLED", "false", "aiGatewayEnabled", false],
  ["CODER_MAX_TOKEN_LIFETIME", "876600h0m0s", "maxTokenLifetimeMs", 876_600 * 3_600_000],
  ["CODER_AUDIT_LOGS_RETENTION", "1d", "auditRetentionMs", 86_400_000],
  ["ATELIER_AI_GATEWAY_RATE_LIMIT", "5", "aiGatewayRateLimit", 5],
  ["CODER_CHAT_AI_GATEWAY_ROUTING_ENABLED", "false", "chatAiGatewayRoutingEnabled", false],
  ["ATELIER_CHAT_AI_GATEWAY_ROUTING_ENABLED", "false", "chatAiGatewayRoutingEnabled", false],
] as const) {
  test(`${variable} is understood`, () => {
    assert.deepEqual(configOf({ env: { [variable]: value } })[property], expected);
  });
}

test("how chats reach models can be set in every way, and is shown in none", () => {
  const name = "chat-ai-gateway-routing-enabled";
  assert.equal(configOf().chatAiGatewayRoutingEnabled, true);
  assert.equal(configOf({ argv: [`--${name}=false`] }).chatAiGatewayRoutingEnabled, false);
  const readFile = (): string => `${name}: false`;
  const fromFile = configOf({ argv: ["--config", "x.yaml"], readFile });
  assert.equal(fromFile.chatAiGatewayRoutingEnabled, false);
  assert.ok(!helpText(100).includes(name));
  assert.ok(!fromFile.optionRows.some((row) => row.name === name));
  const reference = readFileSync(
    new URL("../../../docs/reference/configuration.md", import.meta.url),
    "utf8",
  );
  assert.ok(reference.includes("ai-gateway-enabled") && !reference.includes(name));
});

test("tracing is off, and its options make sense together when it is on", () => {
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318/",
    OTEL_EXPORTER_OTLP_HEADERS: "x-key=a%20b, x-other = c=d",
    OTEL_SERVICE_NAME: "ours",
  };
  assert.equal(configOf({ env }).tracing, null);
  const { tracing } = configOf({ env, argv: ["--trace-enable", "--trace-sampling-ratio", "0.25"] });
  assert.deepEqual(
    { ...tracing, headers: traceHeadersOf(tracing?.headers?.reveal() ?? "") },
    {
      endpoint: "http://collector:4318",
      headers: { "x-key": "a b", "x-other": "c=d" },
      samplingRatio: 0.25,
      serviceName: "ours",
    },
  );
  assert.equal(configOf({ argv: ["--trace-enable"] }).tracing?.endpoint, "http://127.0.0.1:4318");
});

for (const [option, value] of [
  ["trace-sampling-ratio", "1.5"],
  ["trace-sampling-ratio", "half"],
  ["trace-headers", "no header"],
  ["trace-headers", "a=%zz"],
  ["trace-endpoint", "collector:4318"],
] as const) {
  test(`${option} ${value} is a mistake`, () => {
    assert.match(mistakesOf({ argv: [`--${option}`, value] }).join(), new RegExp(option));
  });
}

test("the dump directory is found from where the server starts", () => {
  assert.equal(configOf().aiGatewayDumpDir, null);
  assert.equal(
    configOf({ env: { CODER_AIBRIDGE_DUMP_DIR: "dumps" } }).aiGatewayDumpDir,
    `${process.cwd()}/dumps`,
  );
});

test("the database's URL is a secret, also from its older variable", () => {
  const env = { CODER_PG_CONNECTION_URL: "postgres://user:hunter2@host/db" };
  const config = configOf({ env });
  assert.equal(config.postgresUrl?.reveal(), env.CODER_PG_CONNECTION_URL);
  const row = config.optionRows.find(({ name }) => name === "postgres-url");
  assert.deepEqual([row?.value, row?.source], ["[secret]", "environment"]);
  assert.doesNotMatch(JSON.stringify(config.optionRows), /hunter2/);
});

test("what does not fit together, and what cannot be, is refused in words", () => {
  assert.deepEqual(
    mistakesOf({ argv: ["--default-token-lifetime", "2d", "--max-token-lifetime", "1d"] }),
    ["default-token-lifetime is longer than max-token-lifetime"],
  );
  assert.deepEqual(
    mistakesOf({
      argv: ["--proxy-trusted-origins", "10.0.0.0/8,10.0.0.0/33"],
      env: {
        ATELIER_POSTGRES_URL: "mysql://user:hunter2@host",
        ATELIER_EXTERNAL_TOKEN_ENCRYPTION_KEYS: "c2hvcnQ=",
        ATELIER_HTTP_ADRESS: "x",
        ATELIER_URL: "http://of-the-cli",
      },
    }),
    [
      "ATELIER_HTTP_ADRESS: no such option; did you mean ATELIER_HTTP_ADDRESS?",
      '--proxy-trusted-origins: "10.0.0.0/33" is no IP address or CIDR range',
      "ATELIER_POSTGRES_URL: does not begin with postgres://",
      "ATELIER_EXTERNAL_TOKEN_ENCRYPTION_KEYS: item 1 is not the base64 of 32 bytes; make one with: openssl rand -base64 32",
    ],
  );
});

test("trusted proxies are addresses and ranges of either family", () => {
  const { trustedProxies } = configOf({ argv: ["--proxy-trusted-origins", "10.0.0.0/8,::1"] });
  assert.deepEqual(
    [
      trustedProxies.check("10.1.2.3"),
      trustedProxies.check("11.1.2.3"),
      trustedProxies.check("::1", "ipv6"),
    ],
    [true, false, true],
  );
});

test("help names every option within the terminal's width", () => {
  const help = helpText(80);
  for (const option of OPTIONS) {
    const isShown = help.includes(`--${option.name}`);
    assert.equal(isShown, !("hidden" in option), option.name);
  }
  assert.deepEqual(
    help.split("\n").filter((line) => line.length > 80),
    [],
  );
});

test("mistakes and the ready message are for people", () => {
  assert.equal(
    mistakesText(["a", "b"]),
    "The configuration has 2 mistakes:\n  - a\n  - b\n\nSee --help.\n",
  );
  const ready = readyText({ host: "", port: 4000 }, "https://atelier.example.com");
  assert.match(
    ready,
    /ready: http:\/\/127\.0\.0\.1:4000\nPeople reach it at https:\/\/atelier\.example\.com\n/,
  );
});
