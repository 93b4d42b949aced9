/** Providers that are tried out: well, ill in each way, and out of reach. */
import { silentLogger } from "@atelier/base/logger";
import { Secret } from "@atelier/base/secret";
import { systemClock } from "@atelier/base/system-clock";
import type { ModelProviderType } from "@atelier/contract/http/ai-providers";
import type { GatewayProvider, ProviderKeyTest } from "@atelier/contract/rpc/gateway-ports";
import { FakeClock } from "@atelier/testkit/fake-clock";
import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createServer as createNetServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { setDefaultCACertificates } from "node:tls";
import { openBedrockUpstream } from "../bedrock/bedrock-upstream-io.ts";
import { answerJson, listen, onBody, provider } from "../relay/gateway-testkit.ts";
import { openUndiciUpstream } from "../upstream/undici-upstream-io.ts";
import { makeCertificate, type TestCertificate } from "./certificate-testkit.ts";
import { ProviderTests } from "./provider-tests-io.ts";

const KEY = "sk-secret-0123456789abcdef";
const MASKED = "sk-s...cdef";
const KEYS = [{ id: "k1", secret: new Secret(KEY), hint: MASKED }];
const MODELS = { data: [{ id: "big" }, { id: "gpt-5-nano-2026-01-01" }, { id: "models/gemini-2.5-flash" }] }; // prettier-ignore
const COMPLETION = { choices: [{ message: { content: "pong" } }] };

type Asked = { method: string; path: string; headers: IncomingMessage["headers"]; body: string };

/** Tries out a provider at this address. */
function tryOut(
  given: GatewayProvider,
  {
    model = null,
    signal = new AbortController().signal,
    clock = systemClock,
  }: {
    model?: string | null;
    signal?: AbortSignal;
    clock?: ConstructorParameters<typeof ProviderTests>[0]["clock"];
  } = {},
): Promise<readonly ProviderKeyTest[]> {
  const openClient = (origin: string) =>
    openUndiciUpstream({
      origin,
      timeouts: { connectMsMax: 10_000, headMsMax: 60_000, silenceMsMax: 60_000 },
    });
  const translate: ConstructorParameters<typeof ProviderTests>[0]["translate"] = (one, client) =>
    one.bedrock &&
    openBedrockUpstream(one, one.bedrock, {
      client,
      openClient,
      guard: (guarded) => guarded,
      clock,
      log: silentLogger,
    });
  return new ProviderTests({ clock, openClient, translate }).test(given, { model, signal });
}

/** Tries out what a handler answers, and tells what it was asked. */
async function tryAgainst(
  answer: (asked: Asked, res: ServerResponse) => void,
  options: {
    type?: ModelProviderType;
    path?: string;
    model?: string | null;
    keys?: GatewayProvider["keys"];
    apiVersion?: string;
  } = {},
) {
  const asked: Asked[] = [];
  const server = await listen((req, res) => {
    onBody(req, (body) => {
      const each = {
        method: req.method ?? "",
        path: req.url ?? "",
        headers: req.headers,
        body: body.toString(),
      };
      asked.push(each);
      answer(each, res);
    });
  });
  try {
    const { type = "openai", path = "/v1", model = null, keys = KEYS } = options;
    const apiVersion = options.apiVersion ?? null;
    const given = provider("up", type, `${server.url}${path}`, { keys, apiVersion });
    return { asked, results: await tryOut(given, { model }) };
  } finally {
    await server.close();
  }
}

const well = ({ method }: Asked, res: ServerResponse): void =>
  answerJson(res, 200, method === "GET" ? MODELS : COMPLETION);

test("a provider that is well: its list of models, then the cheapest that is known of them", async () => {
  const { asked, results } = await tryAgainst(well);
  const [result] = results;
  assert.deepEqual(
    result?.checks.map(({ latencyMs, ...check }) => {
      assert.ok(latencyMs >= 0);
      return check;
    }),
    [
      {
        kind: "credential",
        outcome: "ok",
        status: 200,
        model: null,
        message: null,
        explanation: "The provider accepts the key.",
        remedy: null,
      },
      {
        kind: "completion",
        outcome: "ok",
        status: 200,
        model: "gpt-5-nano-2026-01-01",
        message: null,
        explanation: "The model answers.",
        remedy: null,
      },
    ],
  );
  assert.deepEqual([result?.keyId, result?.notes], ["k1", []]);
  assert.deepEqual(
    asked.map(({ method, path, headers }) => [method, path, headers.authorization]),
    [
      ["GET", "/v1/models", `Bearer ${KEY}`],
      ["POST", "/v1/chat/completions", `Bearer ${KEY}`],
    ],
  );
  assert.deepEqual(JSON.parse(asked[1]?.body ?? ""), {
    model: "gpt-5-nano-2026-01-01",
    messages: [{ role: "user", content: "ping" }],
    max_completion_tokens: 16,
  });
});

const ASKS: [type: ModelProviderType, path: string, model: string | null, asks: string[], header: string][] = [
  ["openai", "/v1", "m", ["GET /v1/models", "POST /v1/chat/completions m max_completion_tokens=16"], "authorization"],
  ["openai-compat", "/api/", null, ["GET /api/models"], "authorization"],
  ["openai-compat", "/api/", "m", ["GET /api/models", "POST /api/chat/completions m max_tokens=16"], "authorization"],
  ["google", "", null, ["GET /models", "POST /chat/completions models/gemini-2.5-flash max_tokens=16"], "authorization"],
  ["openrouter", "/api/v1", null, ["GET /api/v1/key"], "authorization"],
  ["vercel", "/v1", "m", ["GET /v1/credits", "POST /v1/chat/completions m max_tokens=16"], "authorization"],
  ["azure", "/openai/v1", null, ["GET /openai/v1/models?api-version=v9"], "api-key"],
  ["azure", "/openai/deployments/d", null, [], "api-key"],
  ["azure", "/openai/deployments/d", "m", ["POST /openai/deployments/d/chat/completions?api-version=v9 m max_completion_tokens=16"], "api-key"],
  ["anthropic", "", "m", ["GET /v1/models", "POST /v1/messages m max_tokens=1"], "x-api-key"],
]; // prettier-ignore
for (const [type, path, model, asks, header] of ASKS) {
  test(`what ${type} is asked below "${path}" with ${model === null ? "no model" : "a model"}`, async () => {
    const apiVersion = type === "azure" ? { apiVersion: "v9" } : {};
    const { asked, results } = await tryAgainst(well, { type, path, model, ...apiVersion });
    const seen = asked.map(({ method, path: target, body }) => {
      if (body === "") return `${method} ${target}`;
      const { model: named, ...rest } = JSON.parse(body);
      const limit = Object.entries(rest).find(([name]) => name.startsWith("max_"));
      return `${method} ${target} ${named} ${limit?.join("=")}`;
    });
    assert.deepEqual(seen, asks);
    for (const { headers } of asked) assert.ok(String(headers[header]).endsWith(KEY));
    if (type === "anthropic") assert.equal(asked[0]?.headers["anthropic-version"], "2023-06-01");
    assert.ok(results[0]?.checks.every(({ outcome }) => outcome === "ok"));
    const notes = results[0]?.notes.join() ?? "";
    assert.equal(
      /No completion was tried/.test(notes),
      !asks.some((each) => each.startsWith("POST")),
    );
    assert.equal(/no free check/.test(notes), path.includes("deployments"));
  });
}

for (const [name, type, keys] of [
  ["a type without keys of ours", "copilot", KEYS],
  ["a provider without keys", "anthropic", []],
] as const) {
  test(`${name} is only reached, without a credential, and a refusal is well`, async () => {
    const { asked, results } = await tryAgainst((_, res) => answerJson(res, 401, {}), {
      type,
      keys,
      path: "",
      model: "m",
    });
    assert.equal(asked.length, 1);
    for (const header of ["authorization", "x-api-key", "api-key"]) {
      assert.equal(asked[0]?.headers[header], undefined);
    }
    const [result] = results;
    assert.deepEqual(
      [
        result?.keyId,
        result?.checks[0]?.kind,
        result?.checks[0]?.outcome,
        result?.checks[0]?.status,
      ],
      [null, "reachability", "ok", 401],
    );
    assert.match(result?.notes[0] ?? "", /only reachability was tested/);
  });
}

test("Bedrock is tried with a signed request to its small model", async () => {
  const asked: string[] = [];
  const server = await listen((req, res) => {
    asked.push(`${req.method} ${req.url} ${req.headers.authorization?.split(" ")[0]}`);
    onBody(req, () => answerJson(res, 200, { type: "message", content: [] }));
  });
  const bedrock = {
    region: "eu-central-1",
    model: "big",
    smallFastModel: "small",
    accessKey: new Secret("AKIAEXAMPLE"),
    accessKeySecret: new Secret(KEY),
    ...{ sessionToken: null, bearerToken: null, profile: null },
    ...{ roleArn: null, externalId: null, stsEndpoint: null },
  };
  const given = { ...provider("up", "bedrock", server.url, { keys: [] }), bedrock };
  const [result] = await tryOut(given);
  assert.deepEqual(asked, ["POST /model/small/invoke AWS4-HMAC-SHA256"]);
  assert.deepEqual(
    result?.checks.map(({ kind, outcome }) => [kind, outcome]),
    [["completion", "ok"]],
  );
  await server.close();
});

const error = (message: string) => ({ error: { message, type: "e", code: "c" } });
type Answer = readonly [status: number, body: unknown];
const ILL: [name: string, options: { type?: ModelProviderType; path?: string; model?: string }, free: Answer, completion: Answer, outcome: string, explanation: RegExp, remedy: RegExp][] = [
  ["a bad key", {}, [401, error(`Incorrect API key provided: ${KEY}.`)], [200, {}], "unauthorized", /refuses this key/, /whole, not revoked/],
  ["a bad key under status 400", { type: "google" }, [400, error("API key not valid. Please pass a valid API key.")], [200, {}], "unauthorized", /refuses this key/, /whole, not revoked/],
  ["no credit under status 400", { model: "m" }, [200, MODELS], [400, error("Your credit balance is too low")], "rate_limited", /no credit or quota left/, /billing/],
  ["no credit", { type: "openrouter", model: "m" }, [402, error("x")], [200, {}], "rate_limited", /no credit/, /billing/],
  ["no access to the list", {}, [403, error("missing scope")], [200, {}], "forbidden", /may not do this free check/, /name a model/],
  ["no access to the model", { model: "m" }, [200, MODELS], [403, error("no access")], "forbidden", /may not use the model "m"/, /access to this model/],
  ["a base URL without its version", { path: "/" }, [404, "404 page not found"], [200, {}], "not_found", /base URL is not right/, /Try http:\/\/127\.0\.0\.1:\d+\/v1$/],
  ["a base URL with too much behind its version", { path: "/v1/chat" }, [404, error("Invalid URL")], [200, {}], "not_found", /base URL is not right/, /before \/chat\/completions/],
  ["a base URL with a version too many", { type: "anthropic", path: "/v1" }, [404, error("Not Found")], [200, {}], "not_found", /base URL is not right/, /^Leave \/v1 out: http:\/\/127\.0\.0\.1:\d+$/],
  ["an unknown deployment", { type: "azure", path: "/openai/deployments/d", model: "m" }, [200, {}], [404, error("Resource not found")], "not_found", /base URL is not right/, /API version/],
  ["an unknown model", { model: "m" }, [200, MODELS], [404, error("The model `m` does not exist or you do not have access to it.")], "not_found", /does not have the model "m"/, /spells it/],
  ["a quota", {}, [429, error("slow down")], [200, {}], "rate_limited", /rate limit or quota/, /Wait/],
  ["a provider in trouble", {}, [503, "upstream connect error"], [200, {}], "server_error", /in trouble \(HTTP 503\)/, /status page/],
  ["an overloaded provider", { type: "anthropic", path: "", model: "m" }, [200, MODELS], [529, { type: "error", error: { type: "overloaded_error", message: "Overloaded" } }], "server_error", /HTTP 529/, /status page/],
  ["another refusal", { model: "m" }, [200, MODELS], [400, error("Unsupported parameter")], "rejected", /refuses the test request itself \(HTTP 400\)/, /API version/],
  ["a redirection", {}, [308, ""], [200, {}], "redirected", /leads to another address/, /Enter the address/],
  ["a web page", {}, [200, "<html>Sign in</html>"], [200, {}], "not_a_provider", /not this kind of model provider/, /sign-in page/],
  ["something else in JSON", { model: "m" }, [200, MODELS], [200, { hello: "world" }], "not_a_provider", /not this kind/, /base URL and the type/],
]; // prettier-ignore
for (const [name, options, free, completion, outcome, explanation, remedy] of ILL) {
  test(`explained: ${name}`, async () => {
    const { results } = await tryAgainst(({ method }, res) => {
      const [status, body] = method === "GET" ? free : completion;
      if (typeof body !== "string") answerJson(res, status, body);
      else res.writeHead(status, { "content-type": "text/plain", location: "/x" }).end(body);
    }, options);
    const [result] = results;
    const check = result?.checks.at(-1);
    const kind = completion[0] === 200 && free[0] !== 200 ? "credential" : check?.kind;
    assert.deepEqual([check?.outcome, check?.kind], [outcome, kind]);
    assert.match(check?.explanation ?? "", explanation);
    assert.match(check?.remedy ?? "", remedy);
    const said = free[0] === 200 ? completion : free;
    assert.equal(check?.status, said[0]);
    assert.doesNotMatch(JSON.stringify(results), new RegExp(KEY));
    if (said[0] === 401) assert.equal(check?.message, `Incorrect API key provided: ${MASKED}.`);
    if (typeof said[1] === "string") {
      assert.equal(check?.message, said[0] === 200 || said[1] === "" ? null : said[1]);
    }
  });
}

test("a key that may not list models serves where the model that is named answers", async () => {
  const { results } = await tryAgainst(
    ({ method }, res) =>
      method === "GET" ? answerJson(res, 403, error("no")) : answerJson(res, 200, COMPLETION),
    { model: "m" },
  );
  assert.deepEqual(results[0]?.checks.map(({ outcome }) => outcome), ["forbidden", "ok"]); // prettier-ignore
});

test("a model that used the few tokens up thinking has answered", async () => {
  const message =
    "Could not finish the message because max_tokens or model output limit was reached.";
  const { results } = await tryAgainst(
    ({ method }, res) =>
      method === "GET" ? answerJson(res, 200, MODELS) : answerJson(res, 400, error(message)),
    { model: "m" },
  );
  assert.equal(results[0]?.checks[1]?.outcome, "ok");
});

test("each key is tried for itself", async () => {
  const keys = [...KEYS, { id: "k2", secret: new Secret("sk-revoked"), hint: "s...d" }];
  const { results } = await tryAgainst(
    (asked, res) =>
      asked.headers.authorization === `Bearer ${KEY}`
        ? well(asked, res)
        : answerJson(res, 401, error("revoked")),
    { keys },
  );
  assert.deepEqual(
    results.map(({ keyId, checks }) => [keyId, checks.map(({ outcome }) => outcome)]),
    [
      ["k1", ["ok", "ok"]],
      ["k2", ["unauthorized"]],
    ],
  );
});

async function outcomeAt(baseUrl: string) {
  const [result] = await tryOut(provider("up", "openai", baseUrl, { keys: KEYS }));
  const check = result?.checks[0];
  assert.equal(result?.checks.length, 1, "nothing more is tried");
  assert.equal(check?.status, null);
  return [check?.outcome, check?.explanation, check?.remedy] as const;
}

test("explained: a name that DNS does not know", async () => {
  const [outcome, explanation] = await outcomeAt("https://nobody.invalid/v1");
  assert.equal(outcome, "dns");
  assert.match(
    explanation ?? "",
    /^DNS (?:does not know|gives no answer for) the name nobody\.invalid/,
  );
});

test("explained: a port where nothing listens", async () => {
  const [outcome, explanation] = await outcomeAt("http://127.0.0.1:1/v1");
  assert.deepEqual([outcome, explanation], ["refused", "Nothing listens at 127.0.0.1 port 1. (ECONNREFUSED)"]); // prettier-ignore
});

/** A port where bytes are answered with bytes. */
async function withPort<Result>(
  answer: Buffer | string | null,
  use: (port: number) => Promise<Result>,
): Promise<Result> {
  const server = createNetServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => (answer === null ? socket.destroy() : socket.end(answer)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    return await use((server.address() as AddressInfo).port);
  } finally {
    server.close();
  }
}

test("explained: a port that closes, or that speaks something else", async () => {
  const closed = await withPort(null, (port) => outcomeAt(`http://127.0.0.1:${port}/v1`));
  assert.equal(closed[0], "unreachable");
  assert.match(closed[2] ?? "", /wants https/);
  const strange = await withPort("220 mail.example ESMTP\r\n", (port) =>
    outcomeAt(`http://127.0.0.1:${port}/v1`),
  );
  assert.equal(strange[0], "not_a_provider");
  const plain = await withPort("HTTP/1.1 400 Bad Request\r\n\r\n", (port) =>
    outcomeAt(`https://127.0.0.1:${port}/v1`),
  );
  assert.equal(plain[0], "tls");
  assert.match(plain[1] ?? "", /does not speak TLS/);
});

test("explained: an answer that does not come, and nothing stays open after it", async () => {
  const clock = new FakeClock();
  const asked = Promise.withResolvers<undefined>();
  const left = Promise.withResolvers<undefined>();
  const server = await listen((_req, res) => {
    res.on("close", () => left.resolve(undefined));
    asked.resolve(undefined);
  });
  const testing = tryOut(provider("up", "openai", server.url, { keys: KEYS }), { clock });
  await asked.promise;
  await clock.advance(12_000);
  const [result] = await testing;
  await left.promise;
  assert.equal(result?.checks[0]?.outcome, "timeout");
  assert.match(result?.checks[0]?.explanation ?? "", /did not answer in time/);
  await server.close();
});

test("a test can be cancelled, and ends the request to the provider", async () => {
  const asked = Promise.withResolvers<undefined>();
  const left = Promise.withResolvers<undefined>();
  const server = await listen((_req, res) => {
    res.on("close", () => left.resolve(undefined));
    asked.resolve(undefined);
  });
  const leaving = new AbortController();
  const testing = tryOut(provider("up", "openai", server.url, { keys: KEYS }), {
    signal: leaving.signal,
  });
  await asked.promise;
  leaving.abort();
  const [result] = await testing;
  await left.promise;
  assert.deepEqual(result?.checks.map(({ outcome }) => outcome), ["cancelled"]); // prettier-ignore
  await server.close();
});

const AUTHORITY = makeCertificate({ name: "Test authority", isAuthority: true });
const STRANGER = makeCertificate({ name: "Another authority", isAuthority: true });
const signedBy = AUTHORITY.issuer;
const hosts = ["localhost"];

async function outcomeWithTls(certificate: TestCertificate) {
  const handler: RequestListener = (_req, res) => answerJson(res, 401, error("no"));
  const { cert, key } = certificate;
  const server = createTlsServer({ cert, key }, handler);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  setDefaultCACertificates([AUTHORITY.cert]);
  try {
    const given = provider("up", "openai", `https://localhost:${port}/v1`, { keys: KEYS });
    const [result] = await tryOut(given);
    return result?.checks[0];
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

const TLS: [name: string, certificate: TestCertificate, outcome: string, explanation: RegExp][] = [
  ["good", makeCertificate({ name: "up", hosts, signedBy }), "unauthorized", /refuses this key/],
  ["expired", makeCertificate({ name: "up", hosts, signedBy, notAfter: "20210101000000Z" }), "tls", /has expired, or not begun\. \(CERT_HAS_EXPIRED\)/],
  ["not begun", makeCertificate({ name: "up", hosts, signedBy, notBefore: "20900101000000Z" }), "tls", /\(CERT_NOT_YET_VALID\)/],
  ["for another name", makeCertificate({ name: "up", hosts: ["other.example"], signedBy }), "tls", /localhost shows is for other names\. \(ERR_TLS_CERT_ALTNAME_INVALID\)/],
  ["self-signed", makeCertificate({ name: "up", hosts }), "tls", /is self-signed.*\(DEPTH_ZERO_SELF_SIGNED_CERT\)/],
  ["of an unknown authority", makeCertificate({ name: "up", hosts, signedBy: STRANGER.issuer }), "tls", /authority that is not known here/],
]; // prettier-ignore
for (const [name, certificate, outcome, explanation] of TLS) {
  test(`explained: a certificate that is ${name}`, async () => {
    const check = await outcomeWithTls(certificate);
    assert.deepEqual([check?.outcome, check?.status], [outcome, outcome === "tls" ? null : 401]);
    assert.match(check?.explanation ?? "", explanation);
    assert.notEqual(check?.remedy, null);
  });
}
