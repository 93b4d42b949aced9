import assert from "node:assert/strict";
import { test } from "node:test";
import { ENDPOINTS } from "@atelier/contract/http/endpoints";
import { FAILURES } from "@atelier/contract/failures";
import { apiDescription } from "./api-docs.ts";

type Json = { readonly [key: string]: unknown };

// Text and back, as clients get it.
const DOCUMENT = JSON.parse(JSON.stringify(apiDescription("1.2.3"))) as ReturnType<
  typeof apiDescription
>;

test("every endpoint of the contract is described once", () => {
  const described = Object.entries(DOCUMENT.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const wanted = ENDPOINTS.map(
    ({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`,
  );
  assert.deepEqual(described.toSorted(), wanted.toSorted());
  assert.equal(new Set(wanted).size, wanted.length);
});

test("every reference leads somewhere, and the named schemas are used", () => {
  const refs = new Set(
    [...JSON.stringify(DOCUMENT).matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref]) => ref ?? ""),
  );
  const { schemas } = DOCUMENT.components;
  for (const ref of refs) {
    assert.match(ref, /^#\/components\/schemas\//);
    assert.ok(ref.slice("#/components/schemas/".length) in schemas, ref);
  }
  for (const name of [
    "User",
    "UserSession",
    "ApiToken",
    "AuditEvent",
    "ModelProvider",
    "Problem",
  ]) {
    assert.ok(refs.has(`#/components/schemas/${name}`), `${name} is used`);
  }
});

test("operations have ids of their own, and their path parameters", () => {
  const ids = new Set<unknown>();
  for (const [path, operations] of Object.entries(DOCUMENT.paths)) {
    for (const operation of Object.values(operations)) {
      ids.add(operation["operationId"]);
      const parameters = operation["parameters"] as Json[];
      const inPath = parameters.filter((each) => each["in"] === "path");
      assert.deepEqual(
        inPath.map((each) => `{${String(each["name"])}}`).toSorted(),
        (path.match(/\{\w+\}/g) ?? []).toSorted(),
      );
      for (const each of inPath) assert.equal(each["required"], true);
    }
  }
  assert.equal(ids.size, ENDPOINTS.length);
});

test("queries are typed as clients write them, and what has a default may be left out", () => {
  const list = DOCUMENT.paths["/api/v2/users"]?.["get"];
  const parameters = list?.["parameters"] as Json[];
  const limit = parameters.find((each) => each["name"] === "limit");
  assert.deepEqual(limit, {
    name: "limit",
    in: "query",
    required: false,
    schema: { type: "integer", minimum: 1, maximum: 200, default: 50 },
  });
});

test("bodies are strict, and say whether they may be left out", () => {
  const bodyOf = (path: string) =>
    DOCUMENT.paths[path]?.["post"]?.["requestBody"] as {
      required: boolean;
      content: { "application/json": { schema: Json } };
    };
  const login = bodyOf("/api/v2/users/login");
  assert.equal(login.required, true);
  const { schema } = login.content["application/json"];
  assert.deepEqual(
    [schema["required"], schema["additionalProperties"]],
    [["email", "password"], false],
  );
  assert.equal(bodyOf("/api/v2/users/{user}/keys/tokens").required, false);
});

test("failures are described with their codes under their status", () => {
  const responses = DOCUMENT.paths["/api/v2/users"]?.["post"]?.["responses"] as Record<
    string,
    Json
  >;
  assert.deepEqual(Object.keys(responses).toSorted(), [
    "201",
    "400",
    "401",
    "403",
    "404",
    "409",
    "413",
    "429",
    "500",
    "503",
  ]);
  assert.match(
    String(responses["409"]?.["description"]),
    /user\.email_taken.*user\.username_taken/,
  );
  for (const operations of Object.values(DOCUMENT.paths)) {
    for (const operation of Object.values(operations)) {
      const answers = JSON.stringify(
        Object.entries((operation as { responses: Json }).responses).filter(
          ([status]) => !status.startsWith("2"),
        ),
      );
      const codes = answers.match(/"enum":\[("[a-z_]+\.[a-z_]+",?)+\]/g) ?? [];
      for (const code of codes.flatMap((each) => each.match(/[a-z_]+\.[a-z_]+/g) ?? [])) {
        assert.ok(code in FAILURES, code);
      }
    }
  }
});

test("what needs a credential says so, and what does not needs none", () => {
  const securityOf = (path: string) => DOCUMENT.paths[path]?.["get"]?.["security"];
  assert.deepEqual(securityOf("/api/v2/buildinfo"), []);
  assert.deepEqual(securityOf("/api/v2/audit"), [
    { session_token: [] },
    { bearer: [] },
    { cookie: [] },
  ]);
});
