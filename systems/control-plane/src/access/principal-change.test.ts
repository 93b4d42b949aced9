import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { startTestControlPlane } from "../control-plane-on-postgres-testkit.ts";
import { formatPrincipalChange, parsePrincipalChange } from "./principal-change.ts";

test("a change survives its text form, and another version's text is not taken for one", () => {
  for (const change of [
    { kind: "user", userId: "00000000-0000-4000-8000-000000000001" },
    { kind: "key", keyId: "abcdefghij" },
  ] as const) {
    assert.deepEqual(parsePrincipalChange(formatPrincipalChange(change)), change);
  }
  assert.equal(parsePrincipalChange("group:1"), null);
});

/** Revocations that a second replica must learn of, which has the caller in its memory. */
const REVOCATIONS = [
  { name: "suspending the user", method: "PUT", path: "/api/v2/users/ann/status/suspend" },
  { name: "deleting the user", method: "DELETE", path: "/api/v2/users/ann" },
  {
    name: "setting the user's password",
    method: "PUT",
    path: "/api/v2/users/ann/password",
    body: { password: "another good one" },
  },
  { name: "ending the session", method: "DELETE", path: "/api/v2/users/ann/sessions/SESSION" },
] as const;

for (const { name, method, path, ...rest } of REVOCATIONS) {
  test(`${name} is known to other replicas at once, though their answers are fresh`, async () => {
    await using first = await startTestControlPlane();
    const { database, clock } = first;
    await using second = await startTestControlPlane({ database, clock });
    const owner = await first.setUp();
    const ann = await first.addPerson("ann");
    assert.equal((await second.plane.authorizer.authorize(ann.token)).kind, "authorized");
    const heard = once(second.changes, "message", { signal: AbortSignal.timeout(60_000) });
    const url = path.replace("SESSION", ann.token.split("-")[0] ?? "");
    const body = "body" in rest ? rest.body : undefined;
    const answer = await first.call(method, url, { token: owner.token, body });
    assert.ok(answer.status < 300, answer.text);
    await heard;
    assert.equal((await second.plane.authorizer.authorize(ann.token)).kind, "unauthorized");
  });
}

test("an API token of a member reaches the gateway, one without the scope does not", async () => {
  await using api = await startTestControlPlane();
  await api.setUp();
  const ann = await api.addPerson("ann");
  const make = async (scopes: readonly string[]) =>
    (await api.call("POST", "/api/v2/users/me/keys/tokens", { token: ann.token, body: { scopes } }))
      .body.key as string;
  const { authorizer } = api.plane;
  const granted = await authorizer.authorize(await make(["ai_gateway:use"]));
  assert.equal(granted.kind === "authorized" && granted.caller.userId, ann.id);
  assert.equal((await authorizer.authorize(await make(["user:read"]))).kind, "unauthorized");
});
