/** What lets a browser into a preview serves once, for a while, for one host, one browser and one person. */
import { systemRandom } from "@atelier/base/system-random";
import { FakeClock } from "@atelier/testkit/fake-clock";
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { PASS_MS_MAX, PreviewPasses, STATE_PATTERN, stateOf } from "./preview-passes.ts";

const LABEL = "3000--main--dev--ann";
const ANN = "annsKey001";
const STATE = stateOf("of the browser");

function passesOf(clock: FakeClock, key = "k1"): PreviewPasses {
  const sign = (text: string): string =>
    `${key}.${createHmac("sha256", key).update(text).digest("base64url")}`;
  const signer = { sign, isSigned: (text: string, given: string) => sign(text) === given };
  return new PreviewPasses({ clock, random: systemRandom, signer });
}

test("a ticket names its person's credential, and does so once", () => {
  const passes = passesOf(new FakeClock());
  const use = { label: LABEL, state: STATE };
  const ticket = passes.issueTicket(ANN, use);
  assert.equal(passes.takeTicket(ticket, use), ANN);
  assert.equal(passes.takeTicket(ticket, use), null);
});

const NOW = 0;
const LATE = 60_001;
for (const [name, spoilt, ms] of [
  ["another host", { label: "3000--main--dev--bob" }, NOW],
  ["another port of the same workspace", { label: "3001--main--dev--ann" }, NOW],
  ["another browser", { state: stateOf("of somebody else's browser") }, NOW],
  ["later than a minute", {}, LATE],
] as const) {
  test(`a ticket does not serve ${name}`, async () => {
    const clock = new FakeClock();
    const passes = passesOf(clock);
    const use = { label: LABEL, state: STATE };
    const ticket = passes.issueTicket(ANN, use);
    await clock.advance(ms);
    assert.equal(passes.takeTicket(ticket, { ...use, ...spoilt }), null);
  });
}

test("nobody makes a ticket or a pass of another person's, nor one into the other", () => {
  const passes = passesOf(new FakeClock());
  const use = { label: LABEL, state: STATE };
  const ticket = passes.issueTicket(ANN, use);
  const pass = passes.issuePass(ANN, LABEL);
  assert.equal(passes.takeTicket(ticket.replace(ANN, "bobsKey001"), use), null);
  assert.equal(passes.readPass(pass.replace(ANN, "bobsKey001"), LABEL), null);
  assert.equal(passes.takeTicket(pass, use), null);
  assert.equal(passes.readPass(ticket, LABEL), null);
  const other = passesOf(new FakeClock(), "k2");
  assert.equal(passes.takeTicket(other.issueTicket(ANN, use), use), null);
  assert.equal(passes.readPass(other.issuePass(ANN, LABEL), LABEL), null);
  for (const text of ["", "a.b.c", `${ticket}\n`, "1.2.3.4"]) {
    assert.equal(passes.takeTicket(text, use), null);
    assert.equal(passes.readPass(text, LABEL), null);
  }
});

test("a pass serves its host until it is too old", async () => {
  const clock = new FakeClock();
  const passes = passesOf(clock);
  const pass = passes.issuePass(ANN, LABEL);
  const read = passes.readPass(pass, LABEL);
  assert.equal(read?.apiKeyId, ANN);
  assert.deepEqual(passes.readPass(pass, LABEL), read);
  assert.equal(passes.readPass(pass, "3001--main--dev--ann"), null);
  await clock.advance(PASS_MS_MAX);
  assert.equal(passes.readPass(pass, LABEL), null);
});

test("what is told of a browser's text has the form that is asked for", () => {
  assert.match(stateOf(passesOf(new FakeClock()).drawBrowserText()), STATE_PATTERN);
});
