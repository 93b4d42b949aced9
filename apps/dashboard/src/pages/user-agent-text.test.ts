import assert from "node:assert/strict";
import { test } from "node:test";
import { userAgentText } from "./user-agent-text.ts";

for (const [userAgent, text] of [
  ["", "Unknown program"],
  [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36",
    "Chrome on Linux",
  ],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605 (KHTML, like Gecko) Version/19.0 Mobile Safari/604",
    "Safari on iOS",
  ],
  ["Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Windows"],
  ["atelier/0.1.0 node/26", "Atelier command line"],
  ["atelier-workspace-agent/0.1.0", "Workspace agent"],
  ["my-script 1", "my-script 1"],
] as const) {
  test(`${userAgent.slice(0, 40) || "nothing"} is ${text}`, () => {
    assert.equal(userAgentText(userAgent), text);
  });
}
