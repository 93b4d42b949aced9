/** The option engine on a small table: precedence, kinds, and every mistake at once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { describeOptions, renderHelp, renderOptionReference } from "./option-texts.ts";
import type { Address, Option } from "./option.ts";
import { parseOptions, type OptionInputs } from "./options.ts";

const words = { group: "Test", description: "A description." };
const TABLE = [
  { name: "config", kind: "string", default: null, ...words },
  { name: "http-address", kind: "address", default: "127.0.0.1:3000", ...words },
  { name: "extra-address", kind: "address", default: "127.0.0.1:1", optional: true, ...words },
  { name: "access-url", kind: "url", default: null, ...words },
  { name: "session-duration", kind: "duration", default: "24h", minMs: 60_000, ...words },
  { name: "connections-max", kind: "int", default: 20, min: 1, max: 100, ...words },
  { name: "is-open", kind: "bool", default: false, ...words },
  {
    name: "postgres-url",
    kind: "secret",
    default: null,
    aliases: ["CODER_PG_CONNECTION_URL"],
    ...words,
  },
  { name: "encryption-keys", kind: "secrets", default: [], ...words },
  {
    name: "origins",
    kind: "list",
    default: [],
    check: (text: string) => (text.includes("!") ? "is rude" : null),
    ...words,
  },
  {
    name: "log-format",
    kind: "choice",
    default: "human",
    choices: ["human", "json"],
    ...words,
  },
  { name: "secret-door", kind: "bool", default: false, hidden: true, ...words },
] as const satisfies readonly Option[];

function parse(inputs: Partial<OptionInputs> & { readonly files?: Record<string, string> }) {
  return parseOptions(TABLE, {
    argv: [],
    env: {},
    readFile: (path) => {
      const content = inputs.files?.[path];
      if (content === undefined) throw Object.assign(new Error("no file"), { code: "ENOENT" });
      return content;
    },
    ...inputs,
  });
}

function parsed(inputs: Parameters<typeof parse>[0]) {
  const result = parse(inputs);
  assert.ok(result.ok, result.ok ? "" : result.failure.join("\n"));
  return result.value;
}

function mistakes(inputs: Parameters<typeof parse>[0]): readonly string[] {
  const result = parse(inputs);
  assert.ok(!result.ok, "the inputs hold mistakes");
  return result.failure;
}

test("without inputs every option has its default, typed by its kind", () => {
  const { values, sources } = parsed({});
  const address: Address = values.httpAddress;
  const durationMs: number = values.sessionDurationMs;
  const format: "human" | "json" = values.logFormat;
  assert.deepEqual(
    [address, durationMs, format],
    [{ host: "127.0.0.1", port: 3000 }, 86_400_000, "human"],
  );
  assert.equal(values.postgresUrl, null);
  assert.deepEqual([...new Set(sources.values())], ["default"]);
  assert.ok(Object.isFrozen(values) && Object.isFrozen(values.origins));
});

const everySource = {
  argv: ["--connections-max", "5"],
  env: { ATELIER_CONNECTIONS_MAX: "4", CODER_CONNECTIONS_MAX: "3", ATELIER_CONFIG: "/c" },
  files: { "/c": "connections-max: 2" },
};
for (const { name, inputs, value, source } of [
  { name: "a flag", inputs: everySource, value: 5, source: "flag" },
  { name: "ATELIER_", inputs: { ...everySource, argv: [] }, value: 4, source: "environment" },
  {
    name: "CODER_",
    inputs: { ...everySource, argv: ["--config=/c"], env: { CODER_CONNECTIONS_MAX: "3" } },
    value: 3,
    source: "environment",
  },
  {
    name: "the file",
    inputs: { ...everySource, argv: ["--config", "/c"], env: {} },
    value: 2,
    source: "file",
  },
] as const) {
  test(`precedence: ${name} wins over everything weaker`, () => {
    const { values, sources } = parsed(inputs);
    assert.deepEqual([values.connectionsMax, sources.get("connections-max")], [value, source]);
  });
}

test("an alias is read, and is weaker than the names by rule", () => {
  const alias = { CODER_PG_CONNECTION_URL: "alias" };
  assert.equal(parsed({ env: alias }).values.postgresUrl?.reveal(), "alias");
  const both = { ...alias, CODER_POSTGRES_URL: "by rule" };
  assert.equal(parsed({ env: both }).values.postgresUrl?.reveal(), "by rule");
});

test("flags can be written in each usual way; the last one wins, lists add up", () => {
  const { values } = parsed({
    argv: [
      "--is-open",
      "--log-format=json",
      "--connections-max",
      "1",
      "--connections-max=2",
      "--origins",
      "a,b",
      "--origins=c",
      "--http-address",
      "[::1]:80",
      "--extra-address=",
    ],
  });
  assert.deepEqual(
    [values.isOpen, values.logFormat, values.connectionsMax, values.origins],
    [true, "json", 2, ["a", "b", "c"]],
  );
  assert.deepEqual([values.httpAddress, values.extraAddress], [{ host: "::1", port: 80 }, null]);
  assert.equal(parsed({ argv: ["--is-open=false"] }).values.isOpen, false);
});

test("a file can hold every kind, and an empty key counts as absent", () => {
  const { values } = parsed({
    argv: ["--config", "/c"],
    files: {
      "/c": [
        "http-address: ':3000'\nis-open: true\nconnections-max: 7\nsession-duration: 1h30m",
        "origins: [a, b]\naccess-url: https://x.example/base/\nlog-format:",
      ].join("\n"),
    },
  });
  assert.deepEqual(
    [values.httpAddress, values.isOpen, values.connectionsMax],
    [{ host: "", port: 3000 }, true, 7],
  );
  assert.deepEqual([values.sessionDurationMs, values.origins], [5_400_000, ["a", "b"]]);
  assert.deepEqual([values.accessUrl, values.logFormat], ["https://x.example/base", "human"]);
});

test("every mistake in every source is listed at once", () => {
  const found = mistakes({
    argv: [
      "--http-adress",
      "1:1",
      "--connections-max=many",
      "stray",
      "-v",
      "--access-url",
      "--is-open=maybe",
    ],
    env: {
      ATELIER_CONFIG: "/c",
      ATELIER_LOG_FROMAT: "json",
      ATELIER_SESSION_DURATION: "10",
      ATELIER_POSTGRES_URL_FILE: "/missing",
      ATELIER_IS_OPEN: "",
      CODER_UNKNOWN: "ignored",
    },
    files: {
      "/c": "log-format: xml\norigins: ['ok', 'no!']\nhttp-address: {a: b}\nseession-duration: 1h\nsession-duration: 5s\n",
    },
  });
  assert.deepEqual(found.toSorted(), [
    "--access-url: a value is missing after it",
    '--connections-max: "many" is not a whole number from 1 to 100',
    "--http-adress: no such option; did you mean --http-address?",
    '--is-open: "maybe" is neither true nor false',
    "-v: options begin with two hyphens; see --help",
    "/c: http-address: takes a plain value or a list of them",
    '/c: log-format: "xml" is not one of human, json',
    '/c: origins: "no!" is rude',
    "/c: seession-duration: no such option; did you mean session-duration?",
    '/c: session-duration: "5s" is shorter than 1m',
    "ATELIER_LOG_FROMAT: no such option; did you mean ATELIER_LOG_FORMAT?",
    "ATELIER_POSTGRES_URL_FILE (/missing): cannot be read (ENOENT)",
    'ATELIER_SESSION_DURATION: "10" is not a duration; write it like 500ms, 90s, 15m, 24h, 7d',
    "an argument is not an option: options are written --name value or --name=value",
  ]);
});

test("a hidden bad value in a name that others share is not our mistake", () => {
  const env = { ATELIER_LOG_FORMAT: "json", CODER_LOG_FORMAT: "stackdriver" };
  assert.equal(parsed({ env }).values.logFormat, "json");
  assert.equal(mistakes({ env: { CODER_LOG_FORMAT: "stackdriver" } }).length, 1);
});

test("names of others with our prefix are left alone", () => {
  const env = { ATELIER_URL: "x", ATELIER_TEST_POSTGRES: "y", ATELIER_TESTS: "z" };
  assert.deepEqual(mistakes({ env, environmentOfOthers: ["ATELIER_URL", "ATELIER_TEST_*"] }), [
    "ATELIER_TESTS: no such option",
  ]);
});

test("broken YAML is reported with its line and without its text", () => {
  const files = { "/c": "is-open: true\npostgres-url: [hunter2\n" };
  const [mistake = "", ...others] = mistakes({ argv: ["--config=/c"], files });
  assert.deepEqual(others, []);
  assert.match(mistake, /^\/c: line \d+ is not valid YAML/);
  assert.doesNotMatch(mistake, /hunter2/);
});

test("a secret can come from a file, but not from two places of equal rank", () => {
  const files = { "/secret": "hunter2\n", "/keys": "one\ntwo\n" };
  const env = { ATELIER_POSTGRES_URL_FILE: "/secret", ATELIER_ENCRYPTION_KEYS_FILE: "/keys" };
  const { values } = parsed({ env, files });
  assert.equal(values.postgresUrl?.reveal(), "hunter2");
  assert.deepEqual(
    values.encryptionKeys.map((key) => key.reveal()),
    ["one", "two"],
  );
  assert.deepEqual(mistakes({ env: { ...env, ATELIER_POSTGRES_URL: "x" }, files }), [
    "ATELIER_POSTGRES_URL_FILE: ATELIER_POSTGRES_URL is set as well; keep one",
  ]);
});

test("no rendering shows a secret, and one on the command line is warned about", () => {
  const result = parsed({
    argv: ["--postgres-url", "hunter2"],
    env: { ATELIER_ENCRYPTION_KEYS: "hunter2,hunter2" },
  });
  const rows = describeOptions(TABLE, result);
  for (const text of [
    JSON.stringify(result),
    inspect(result, { depth: 9 }),
    JSON.stringify(rows),
  ]) {
    assert.doesNotMatch(text, /hunter2/);
  }
  assert.ok(!rows.some(({ name }) => name === "secret-door"));
  const valueOf = (name: string) => rows.find((row) => row.name === name)?.value;
  assert.deepEqual(
    [
      valueOf("postgres-url"),
      valueOf("encryption-keys"),
      valueOf("origins"),
      valueOf("session-duration"),
    ],
    ["[secret]", "[secret], [secret]", null, "1d"],
  );
  assert.match(
    result.warnings.join(),
    /^--postgres-url is visible .* prefer ATELIER_POSTGRES_URL$/,
  );
});

test("a wrong secret is not quoted in the mistake", () => {
  const table = [
    { name: "key", kind: "secret", default: null, check: () => "is too short", ...words },
  ] as const satisfies readonly Option[];
  const result = parseOptions(table, {
    argv: [],
    env: { ATELIER_KEY: "hunter2" },
    readFile: () => "",
  });
  assert.deepEqual(result, { ok: false, failure: ["ATELIER_KEY: is too short"] });
});

test("help fits its width, names every option with its variable, and leaves hidden ones out", () => {
  const help = renderHelp(TABLE, 60);
  assert.ok(help.split("\n").every((line) => line.length <= 60));
  for (const option of TABLE) {
    const isListed = help.includes(`  --${option.name}`);
    assert.equal(isListed, !("hidden" in option), option.name);
  }
  assert.match(
    help,
    /--http-address <host:port>\n {6}A description\.\n {6}Default: 127\.0\.0\.1:3000\.\n {6}Environment: ATELIER_HTTP_ADDRESS/,
  );
  assert.match(renderOptionReference(TABLE), /### `postgres-url`[^#]*`CODER_PG_CONNECTION_URL`/);
  assert.doesNotMatch(renderOptionReference(TABLE), /secret-door/);
});

const FAMILY = [
  { name: "friend-<n>-name", kind: "string", default: null, ...words },
  { name: "friend-<n>-key", kind: "secret", default: null, ...words },
  {
    name: "friend-<n>-shout-after",
    kind: "duration",
    default: "1s",
    aliases: ["CODER_PAL_<N>_SHOUT_AFTER"],
    ...words,
  },
] as const satisfies readonly Option[];

function parseFriends(inputs: Partial<OptionInputs>) {
  return parseOptions(
    TABLE,
    { argv: [], env: {}, readFile: () => "", ...inputs },
    { friends: FAMILY },
  );
}

test("options of a family exist for the numbers that flags, variables or the file name", () => {
  const result = parseFriends({
    argv: ["--friend-2-name", "flag", "--config", "/c"],
    env: {
      ATELIER_FRIEND_0_NAME: "ann",
      CODER_FRIEND_0_NAME: "weaker",
      ATELIER_FRIEND_0_KEY_FILE: "/key",
      CODER_PAL_11_SHOUT_AFTER: "3s",
      ATELIER_FRIEND_8_NAME: "",
    },
    readFile: (path) => (path === "/key" ? "hunter2\n" : "friend-2-name: file\nfriend-5-name: bo"),
  });
  assert.ok(result.ok, result.ok ? "" : result.failure.join("\n"));
  const { families, members } = result.value;
  const shown = families.friends.map(({ number, values }) => [
    number,
    values.name,
    values.key?.reveal() ?? null,
    values.shoutAfterMs,
  ]);
  assert.deepEqual(shown, [
    [0, "ann", "hunter2", 1_000],
    [2, "flag", null, 1_000],
    [5, "bo", null, 1_000],
    [11, null, null, 3_000],
  ]);
  assert.deepEqual(
    members.map(({ option }) => option.name),
    ["friend-0-name", "friend-0-key", "friend-2-name", "friend-5-name", "friend-11-shout-after"],
  );
  const rows = describeOptions(TABLE, result.value).slice(-5);
  assert.deepEqual(
    rows.map(({ name, value, source }) => [name, value, source]),
    [
      ["friend-0-name", "ann", "environment"],
      ["friend-0-key", "[secret]", "environment"],
      ["friend-2-name", "flag", "flag"],
      ["friend-5-name", "bo", "file"],
      ["friend-11-shout-after", "3s", "environment"],
    ],
  );
  assert.doesNotMatch(JSON.stringify(result), /hunter2/);
});

test("without anybody who names a number, a family is empty", () => {
  const result = parseFriends({});
  assert.ok(result.ok);
  assert.deepEqual([result.value.families.friends, result.value.members], [[], []]);
});

test("what is no option of a family stays a mistake, in each source", () => {
  const result = parseFriends({
    argv: ["--friend-x-name=1", "--friend-0-nam=1", "--config=/c"],
    env: {
      ATELIER_FRIEND_0_NAMES: "x",
      ATELIER_FRIEND_01_NAME: "x",
      ATELIER_FRIEND_NAME: "x",
      ATELIER_FRIEND_3_SHOUT_AFTER: "late",
      CODER_FRIEND_7_UNKNOWN: "not ours",
    },
    readFile: () => "friend-0-key: hunter2\nfriend-0-keys: hunter2\n",
  });
  assert.ok(!result.ok);
  assert.deepEqual(result.failure.toSorted(), [
    "--friend-0-nam: no such option; did you mean --friend-0-name?",
    "--friend-x-name: no such option; did you mean --friend-0-name?",
    "/c: friend-0-keys: no such option; did you mean friend-0-key?",
    "ATELIER_FRIEND_01_NAME: no such option; did you mean ATELIER_FRIEND_0_NAME?",
    'ATELIER_FRIEND_3_SHOUT_AFTER: "late" is not a duration; write it like 500ms, 90s, 15m, 24h, 7d',
    "ATELIER_FRIEND_0_NAMES: no such option; did you mean ATELIER_FRIEND_0_NAME?",
    "ATELIER_FRIEND_NAME: no such option; did you mean ATELIER_FRIEND_0_NAME?",
  ].toSorted()); // prettier-ignore
});

test("help and reference show a family with a placeholder for its number", () => {
  assert.match(renderHelp(FAMILY, 80), /--friend-<n>-name <text>/);
  assert.match(renderHelp(FAMILY, 80), /Environment: ATELIER_FRIEND_<N>_NAME/);
  assert.match(renderOptionReference(FAMILY), /`CODER_PAL_<N>_SHOUT_AFTER`/);
});
