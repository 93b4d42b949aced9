/** The typed client: paths, query strings, answers and problems, over a fake transport. */
import assert from "node:assert/strict";
import test from "node:test";
import { fail, ok } from "@atelier/base/result";
import fc from "fast-check";
import { apiClient, requestPath, type ApiRequest, type ApiResponse } from "./client.ts";
import { createModelProvider } from "./http/ai-providers.ts";
import { ENDPOINTS } from "./http/endpoints.ts";
import { createApiToken, deleteApiToken, listApiTokens, logout } from "./http/sign-in.ts";
import { getUser, listUsers } from "./http/users.ts";

const USER = {
  id: "6f0a8f4e-7a51-4d0b-9d6c-0a4c1f1e2d3c",
  email: "ann@example.com",
  username: "ann",
  name: "",
  status: "active",
  roles: ["owner"],
  organization_ids: [],
  created_at: "2026-01-01T00:00:00.000Z",
  updated_at: "2026-01-01T00:00:00.000Z",
  last_seen_at: null,
};

test("a path parameter is escaped and the query leaves out what is undefined", async () => {
  const { client, sent } = answering({ body: JSON.stringify({ tokens: [], count: 0 }) });
  await client.call(listApiTokens, {
    params: { user: "a/b ?" },
    query: { limit: 5, after_id: undefined, include_expired: true },
  });
  assert.deepEqual(sent, [
    {
      method: "GET",
      path: "/api/v2/users/a%2Fb%20%3F/keys/tokens?limit=5&include_expired=true",
      body: null,
    },
  ]);
});

test("a list in the query is repeated", () => {
  assert.equal(requestPath("/x", {}, { tag: ["a", "b&c"], none: [] }), "/x?tag=a&tag=b%26c");
  assert.equal(requestPath("/x/:number", { number: 7 }, {}), "/x/7");
});

for (const name of ["", ".", "..", "\ud800"]) {
  test(`a parameter ${JSON.stringify(name)} is not found without a request`, async () => {
    const { client, sent } = answering({ body: "{}" });
    const answer = await client.call(deleteApiToken, { params: { user: "me", key: name } });
    assert.deepEqual(sent, []);
    assert.equal(!answer.ok && answer.failure.code, "resource.not_found");
  });
}

test("any parameter stays in its own part of the path", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1 }), (user) => {
      const path = requestPath("/api/v2/users/:user/sessions", { user }, {});
      if (path === null) return;
      const { pathname, search, hash } = new URL(path, "http://host");
      const parts = pathname.split("/");
      assert.equal(parts.length, 6);
      assert.equal(decodeURIComponent(parts[4] ?? ""), user);
      assert.equal(parts[5], "sessions");
      assert.equal(search + hash, "");
    }),
  );
});

test("every endpoint's path can be filled from its params schema", () => {
  for (const endpoint of ENDPOINTS) {
    const params = Object.fromEntries(Object.keys(endpoint.params.shape).map((key) => [key, "x"]));
    const path = requestPath(endpoint.path, params, {});
    assert.ok(path?.startsWith("/api/v2/") === true && !path.includes(":"), endpoint.path);
  }
});

test("a body is sent as JSON, and an optional body that is not given is not sent", async () => {
  const created = { key: "k", id: "i", expires_at: "2026-01-01T00:00:00Z" };
  const { client, sent } = answering({ status: 201, body: JSON.stringify(created) });
  await client.call(createApiToken, { params: { user: "me" }, body: { token_name: "ci" } });
  await client.call(createApiToken, { params: { user: "me" } });
  assert.deepEqual(
    sent.map((each) => each.body),
    ['{"token_name":"ci"}', null],
  );
});

test("an answer is parsed, and fields of a newer server are ignored", async () => {
  const { client } = answering({ body: JSON.stringify({ ...USER, mood: "fine" }) });
  const answer = await client.call(getUser, { params: { user: "ann" } });
  assert.deepEqual(answer, ok(USER));
});

test("an answer without a body is null", async () => {
  const { client } = answering({ status: 204, body: "" });
  const answer = await client.call(deleteApiToken, { params: { user: "me", key: "ci" } });
  assert.deepEqual(answer, ok(null));
});

test("a failure keeps code, validations and the server's request id", async () => {
  const { client } = answering({
    status: 400,
    requestId: "of-the-header",
    body: JSON.stringify({
      message: "The request is not valid.",
      detail: "name",
      validations: [{ field: "name", detail: "This name is reserved." }],
      code: "request.invalid",
    }),
  });
  const answer = await client.call(createModelProvider, {
    body: { type: "openai", name: "models", base_url: "https://api.example.com/v1" },
  });
  assert.deepEqual(
    answer,
    fail({
      status: 400,
      code: "request.invalid",
      message: "The request is not valid.",
      detail: "name",
      validations: [{ field: "name", detail: "This name is reserved." }],
      requestId: "of-the-header",
      retryAfterSeconds: null,
    }),
  );
});

for (const { name, response, detail } of [
  { name: "HTML", response: { body: "<html>" }, detail: "The answer is not JSON." },
  { name: "another shape", response: { body: '{"users":3}' }, detail: /^users: / },
  { name: "a proxy's error", response: { status: 502, body: "<html>" }, detail: /status 502/ },
  { name: "a foreign error", response: { status: 404, body: '{"error":"x"}' }, detail: /404/ },
]) {
  test(`${name} is a problem, not an exception`, async () => {
    const answer = await answering(response).client.call(listUsers, {});
    assert.ok(!answer.ok);
    assert.equal(answer.failure.code, "client.answer_unreadable");
    assert.match(answer.failure.detail ?? "", new RegExp(detail));
  });
}

test("a network failure is a value without a status", async () => {
  const client = apiClient(async () => fail({ code: "client.unreachable", message: "No." }));
  const answer = await client.call(logout, {});
  assert.ok(!answer.ok);
  assert.equal(answer.failure.status, null);
  assert.equal(answer.failure.code, "client.unreachable");
});

function answering(response: Partial<ApiResponse>) {
  const sent: ApiRequest[] = [];
  const client = apiClient(async (request) => {
    sent.push(request);
    return ok({ status: 200, body: "", requestId: null, retryAfterSeconds: null, ...response });
  });
  return { client, sent };
}
