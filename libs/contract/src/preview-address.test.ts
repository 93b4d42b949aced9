/** Hosts of previews are found again from what they were made of, and no other host is taken for one. */
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatPreviewLabel,
  formatPreviewWildcard,
  parsePreviewLabel,
  parsePreviewWildcard,
  previewLabelOf,
  previewOrigin,
  readPreviewWildcard,
  type PreviewWildcard,
} from "./preview-address.ts";

const ACCESS = "https://atelier.example.com";
const WILDCARD: PreviewWildcard = { scheme: "https", ending: ".apps.example.com", port: "" };
const AGENT_ID = "0a1b2c3d-0000-4000-8000-000000000001";

for (const [text, access, meant] of [
  ["*.apps.example.com", ACCESS, "https://*.apps.example.com"],
  ["*.apps.example.com", "http://example.com:3000", "http://*.apps.example.com:3000"],
  ["https://*.apps.example.com", "http://example.com:3000", "https://*.apps.example.com"],
  ["https://*-apps.example.com:8443", ACCESS, "https://*-apps.example.com:8443"],
  ["https://*-apps.example.com:443/", ACCESS, "https://*-apps.example.com"],
  ["http://*.LocalHost:3000", "http://127.0.0.1:3000", "http://*.localhost:3000"],
] as const) {
  test(`the wildcard ${text} beside ${access} means ${meant}, and reads back`, () => {
    const parsed = parsePreviewWildcard(text, access);
    assert.ok(parsed.ok);
    assert.equal(formatPreviewWildcard(parsed.value), meant);
    assert.deepEqual(readPreviewWildcard(meant), parsed.value);
  });
}

for (const [text, why] of [
  ["apps.example.com", /begin with its only star/],
  ["*.*.example.com", /begin with its only star/],
  ["apps.*.example.com", /begin with its only star/],
  ["*", /names no domain/],
  ["*-apps", /names no domain/],
  ["*apps.example.com", /names no domain/],
  ["*..example.com", /names no domain/],
  ["ftp://*.example.org", /not a host with a star/],
  ["https://*.example.org/path", /not a host with a star/],
  ["https://user@*.example.org", /not a host with a star/],
  ["*.example.org:99999", /port beyond/],
  ["*.example.com", /covers the access-url's own host/],
] as const) {
  test(`the wildcard ${text} is refused`, () => {
    const parsed = parsePreviewWildcard(text, ACCESS);
    assert.match(parsed.ok ? "" : parsed.failure, why);
  });
}

for (const [host, label] of [
  ["3000--dev--ann.apps.example.com", "3000--dev--ann"],
  ["3000--DEV--ann.Apps.example.com:8443", "3000--dev--ann"],
  ["3000--dev--ann.apps.example.com.", "3000--dev--ann"],
  ["a.b.apps.example.com", "a.b"],
  ["apps.example.com", null],
  [".apps.example.com", null],
  ["atelier.example.com", null],
  ["3000--dev--ann.apps.example.com.evil.org", null],
  ["xapps.example.com", null],
  [undefined, null],
] as const) {
  test(`the host ${host} is ${label === null ? "none below the wildcard" : `the label ${label}`}`, () => {
    assert.equal(previewLabelOf(host, WILDCARD), label);
  });
}

test("an ending without a dot before it takes what stands before the hyphen", () => {
  const wildcard = { ...WILDCARD, ending: "-apps.example.com" };
  assert.equal(previewLabelOf("3000--dev--ann-apps.example.com", wildcard), "3000--dev--ann");
  assert.equal(
    previewOrigin(wildcard, "3000--dev--ann"),
    "https://3000--dev--ann-apps.example.com",
  );
});

for (const label of [
  "dev--ann",
  "0--dev--ann",
  "03000--dev--ann",
  "65536--dev--ann",
  "3000--ann",
  "3000--a--main--dev--ann",
  "3000---dev--ann",
  "3000--dev--ann-",
  "3000x--dev--ann",
  "3000--DEV--ann",
  "3000--a.b--ann",
  "3000",
  "",
]) {
  test(`the label "${label}" is no preview's`, () => {
    assert.equal(parsePreviewLabel(label), null);
  });
}

test("the trailing s says that the program speaks HTTPS, and the agent may be left out", () => {
  const workspace = { by: "name", owner: "ann", name: "dev", agent: null };
  assert.deepEqual(parsePreviewLabel("8443s--dev--ann"), { port: 8443, isHttps: true, workspace });
});

const NAME = fc.stringMatching(/^[a-zA-Z0-9]+(-[a-zA-Z0-9]+)*$/, { maxLength: 32 });

test("every port of every workspace has a label that fits and is read back", () => {
  const previewed = fc.record({
    port: fc.integer({ min: 1, max: 65_535 }),
    isHttps: fc.boolean(),
    owner: NAME,
    workspace: NAME,
    agent: NAME,
    agentId: fc.uuid(),
  });
  const endings = fc.constantFrom(".apps.example.com", "-apps.example.com");
  fc.assert(
    fc.property(previewed, endings, (each, ending) => {
      const wildcard = { ...WILDCARD, ending };
      const label = formatPreviewLabel(each, wildcard);
      const [first = ""] = new URL(previewOrigin(wildcard, label)).hostname.split(".");
      assert.ok(first.length <= 63, first);
      assert.equal(previewLabelOf(`${label}${ending}`, wildcard), label);
      const { port, isHttps, workspace } = parsePreviewLabel(label) ?? assert.fail(label);
      assert.deepEqual({ port, isHttps }, { port: each.port, isHttps: each.isHttps });
      if (workspace.by === "id") assert.equal(workspace.agentId, each.agentId);
      else {
        const lower = (text: string): string => text.toLowerCase();
        assert.deepEqual(
          [workspace.owner, workspace.name, workspace.agent],
          [lower(each.owner), lower(each.workspace), lower(each.agent)],
        );
      }
    }),
  );
});

test("names that do not fit into a label give way to the agent's id", () => {
  const long = "a".repeat(32);
  const previewed = { port: 3000, isHttps: false, owner: long, workspace: long, agent: "main" };
  const label = formatPreviewLabel({ ...previewed, agentId: AGENT_ID }, WILDCARD);
  assert.equal(label, "3000--0a1b2c3d000040008000000000000001");
  assert.deepEqual(parsePreviewLabel(label)?.workspace, { by: "id", agentId: AGENT_ID });
});
