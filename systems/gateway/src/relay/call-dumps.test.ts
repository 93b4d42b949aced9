/** The files that a dump of a call leaves, byte for byte, through the whole gateway. */
import { Secret } from "@atelier/base/secret";
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, sep } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import {
  answerJson,
  provider,
  startTestGateway,
  type TestGateway,
  type TestGatewayOptions,
} from "./gateway-testkit.ts";
import {
  CHAT,
  CHAT_ANSWER,
  CHAT_BODY,
  MESSAGES,
  MESSAGES_BODY,
  MESSAGE_REST,
  MESSAGE_START,
} from "./gateway-traffic-testkit.ts";
import { collectLog } from "./log-collector-testkit.ts";

type Files = Readonly<Record<string, string>>;

/** What the gateway writes while `use` calls it, by path below the directory. */
async function dumped(
  options: TestGatewayOptions,
  use: (gateway: TestGateway) => Promise<unknown>,
): Promise<Files> {
  const directory = mkdtempSync(join(tmpdir(), "atelier-dump-"));
  try {
    {
      const config = { ...options.config, dumpDir: join(directory, "dump") };
      await using gateway = await startTestGateway({ ...options, config });
      await use(gateway);
      // Its files are whole when it has closed.
    }
    return readAll(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function readAll(directory: string): Files {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  const files: Record<string, string> = {};
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const mode = statSync(path).mode & 0o777;
    assert.equal(mode, entry.isDirectory() ? 0o700 : 0o600, path);
    if (!entry.isFile()) continue;
    const shown = path.slice(directory.length + "/dump/".length).split(sep);
    files[shown.join("/")] = readFileSync(path, "latin1");
  }
  return files;
}

/** The only file with this ending. */
function only(files: Files, ending: string): string {
  const found = Object.keys(files).filter((path) => path.endsWith(ending));
  assert.equal(found.length, 1, `${ending} in ${Object.keys(files).join()}`);
  return files[found[0] ?? ""] ?? "";
}

const withoutHost = (text: string): string => text.replaceAll(/127\.0\.0\.1:\d+/g, "host");
/** What Node adds to an answer by itself. */
const withoutDate = (text: string): string => text.replace(/Date: .*\r\n/, "");

test("a blocking call leaves its request, pretty, and its answer, with credentials masked", async () => {
  const body = `{"model":"gpt-x","seed":12345678901234567890,"messages":[{"role":"user","content":"hé"}],"tools":[]}`;
  let interceptionId = "";
  const files = await dumped(
    {
      upstream: (_req, res) => {
        res.writeHead(200, {
          "content-type": "application/json",
          "set-cookie": ["session=0123456789", "b=2"],
          "x-b": "1",
          "content-length": 2,
        });
        res.end("{}");
      },
      providers: (url) => [
        provider("openai", "openai", `${url}/v1/`, {
          keys: [{ id: "k", secret: new Secret("sk-central-0123456789"), hint: "" }],
        }),
      ],
    },
    async (gateway) => {
      await gateway.send(CHAT, {
        body,
        headers: { "X-Auth-Token": "veryshort", "x-a": "2", Cookie: "c=1" },
      });
      interceptionId = gateway.recorded.starts[0]?.id ?? "";
    },
  );
  const [first = ""] = Object.keys(files);
  assert.match(first, new RegExp(`^openai/gpt-x/\\d{13}-${interceptionId}\\.req\\.txt$`));
  const pretty = JSON.stringify(JSON.parse(body), null, 2).replace(
    "12345678901234567000",
    "12345678901234567890",
  );
  const bytes = Buffer.from(pretty);
  assert.deepEqual(
    only(files, ".req.txt"),
    [
      "POST /v1/chat/completions HTTP/1.1",
      "authorization: Bear...6789",
      `Content-Length: ${bytes.length}`,
      "x-a: 2",
      "X-Auth-Token: v...t",
      "",
      `${bytes.toString("latin1")}\n`,
    ].join("\r\n"),
  );
  assert.deepEqual(
    withoutDate(only(files, ".resp.txt")),
    [
      "HTTP/1.1 200 OK",
      "Connection: keep-alive",
      "content-length: 2",
      "content-type: application/json",
      "Keep-Alive: timeout=5",
      "set-cookie: se...89",
      "set-cookie: ...",
      "x-b: 1",
      "",
      "{}",
    ].join("\r\n"),
  );
  assert.equal(Object.keys(files).length, 2);
});

test("a stream is dumped as it came, and what is no JSON as it is", async () => {
  const files = await dumped(
    {
      upstream: (_req, res) => {
        res.writeHead(200, { "content-type": "text/event-stream" });
        res.write(MESSAGE_START);
        res.end(MESSAGE_REST);
      },
    },
    async (gateway) => {
      const answer = await gateway.send(MESSAGES, { body: MESSAGES_BODY });
      assert.equal(answer.body.toString(), MESSAGE_START + MESSAGE_REST);
      await gateway.send("/anthropic/v1/messages/count_tokens", { body: "{ raw" });
    },
  );
  const answers = Object.entries(files).filter(([path]) => path.endsWith(".resp.txt"));
  const stream = Buffer.from(MESSAGE_START + MESSAGE_REST).toString("latin1");
  assert.ok(answers.every(([, text]) => text.endsWith(`\r\n\r\n${stream}`)));
  const raw = Object.entries(files).find(([path]) => /passthrough.*req\.txt/.test(path));
  assert.match(
    raw?.[0] ?? "",
    /^anthropic\/passthrough\/\d{13}-v1-messages-count_tokens-[0-9a-f]{4}\.req\.txt$/,
  );
  assert.match(raw?.[1] ?? "", /\r\nContent-Length: 5\r\n[^]*\r\n\r\n\{ raw\n$/);
});

const KEYS = ["sk-first-0123456789", "sk-second-0123456789"].map((key, i) => {
  return { id: `k${i}`, secret: new Secret(key), hint: "" };
});

test("each attempt has its own files, and a key that the provider repeats is masked in them", async () => {
  const files = await dumped(
    {
      upstream: (req, res) => {
        const key = req.headers["x-api-key"];
        if (key !== "sk-first-0123456789") return answerJson(res, 200, { ok: true });
        res.writeHead(429, { "content-type": "application/json", "x-key": String(key) });
        // In two pieces: the border goes through the key.
        res.write(`{"error":{"message":"wrong key sk-first-01`);
        setImmediate(() => res.end(`23456789 and sk-first-0123456789"}}`));
      },
      providers: (url) => [provider("anthropic", "anthropic", url, { keys: KEYS })],
    },
    (gateway) => gateway.send(MESSAGES, { body: MESSAGES_BODY.replace("true", "false") }),
  );
  assert.equal(Object.keys(files).length, 4);
  assert.match(only(files, ".attempt-2.req.txt"), /\r\nx-api-key: sk-s\.\.\.6789\r\n/);
  assert.match(only(files, ".attempt-2.resp.txt"), /^HTTP\/1\.1 200 OK\r\n/);
  const [refused = ""] = Object.entries(files)
    .filter(([path]) => path.endsWith(".resp.txt") && !path.includes("attempt"))
    .map(([, text]) => text);
  assert.match(refused, /^HTTP\/1\.1 429 Too Many Requests\r\n/);
  assert.match(refused, /\r\nx-key: sk\.\.\.89\r\n/);
  assert.ok(refused.endsWith(`{"error":{"message":"wrong key sk...89 and sk...89"}}`), refused);
  for (const text of Object.values(files)) assert.ok(!text.includes("0123456789"), text);
});

test("a failed connection leaves its error, and a cut answer what came of it", async () => {
  const files = await dumped(
    {
      upstream: (req, res) => {
        if (req.url?.startsWith("/v1/chat") === true) return req.socket.destroy();
        res.writeHead(200, { "content-type": "application/json", "content-length": "99" });
        return res.write(`{"id":`, () => res.destroy());
      },
    },
    async (gateway) => {
      await gateway.send(CHAT, { body: CHAT_BODY });
      await gateway.send("/openai/v1/responses", { body: `{"model":"cut","input":"x"}` });
    },
  );
  const paths = Object.keys(files).map((path) => path.replace(/\d{13}-[^.]+/, "*"));
  assert.deepEqual(paths.toSorted(), [
    "openai/cut/*.req.txt",
    "openai/cut/*.req_error.txt",
    "openai/cut/*.resp.txt",
    "openai/gpt-x/*.req.txt",
    "openai/gpt-x/*.req_error.txt",
  ]);
  const errors = Object.entries(files).filter(([path]) => path.endsWith("req_error.txt"));
  for (const [, text] of errors) assert.match(withoutHost(text), /^[A-Z_]+: .*\n$/);
  assert.ok(only(files, ".resp.txt").endsWith(`\r\n\r\n{"id":`));
});

test("a passthrough call is dumped with what stands in its query masked", async () => {
  const files = await dumped(
    { upstream: (_req, res) => answerJson(res, 200, { data: [] }) },
    (gateway) => gateway.send("/openai/v1/models/a%20b?key=AIza-0123456789&x=1", { method: "GET" }),
  );
  const [path = ""] = Object.keys(files);
  assert.match(path, /^openai\/passthrough\/\d{13}-v1-models-a_20b-[0-9a-f]{4}\.req\.txt$/);
  assert.match(
    only(files, ".req.txt"),
    /^GET \/v1\/models\/a%20b\?key=AI\.\.\.89&x=1 HTTP\/1\.1\r\n/,
  );
  assert.match(only(files, ".req.txt"), /\r\n\r\n\n$/);
});

for (const [model, folder] of [
  ["vendor/model:v1", "vendor-model:v1"],
  ["../../../../etc/cron.d/x", "_.-..-..-..-etc-cron.d-x"],
  ["..", "_."],
  ["", "unknown"],
  ["a\u0000b\nc é", "a_b_c__"],
  ["C:\\x", "C:_x"],
  ["m".repeat(300), "other"],
  ["m".repeat(200), "m".repeat(120)],
] as const) {
  test(`a model named ${JSON.stringify(model).slice(0, 40)} stays below its provider`, async () => {
    const files = await dumped(
      { upstream: (_req, res) => answerJson(res, 200, CHAT_ANSWER) },
      (gateway) => gateway.send(CHAT, { body: JSON.stringify({ model, messages: [] }) }),
    );
    const folders = new Set(Object.keys(files).map((path) => dirname(path)));
    assert.deepEqual([...folders], [`openai/${folder}`]);
  });
}

test("a compressed answer reaches the client and is not written: nobody could search it for keys", async () => {
  const zipped = gzipSync(JSON.stringify(CHAT_ANSWER));
  const files = await dumped(
    {
      upstream: (_req, res) => {
        res.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" });
        res.end(zipped);
      },
    },
    async (gateway) => {
      const answer = await gateway.send(CHAT, { body: CHAT_BODY });
      assert.deepEqual(answer.body, zipped);
    },
  );
  assert.match(only(files, ".resp.txt"), /\r\n\r\n\[compressed body not written\]\n$/);
});

test("where nothing can be written, calls go on and the log says so once", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "atelier-dump-")), "a-file");
  writeFileSync(file, "");
  const { log, lines } = collectLog();
  {
    await using gateway = await startTestGateway({
      upstream: (_req, res) => answerJson(res, 200, CHAT_ANSWER),
      config: { dumpDir: file },
      log,
    });
    for (let i = 0; i < 3; i += 1) {
      const answer = await gateway.send(CHAT, { body: CHAT_BODY });
      assert.equal(answer.status, 200);
      assert.deepEqual(JSON.parse(answer.body.toString()), CHAT_ANSWER);
    }
  }
  const warnings = lines.filter(({ message }) => message === "writing an api dump failed");
  assert.equal(warnings.length, 1);
  rmSync(dirname(file), { recursive: true });
});
