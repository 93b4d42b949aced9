/** Which headers name a trace, and how we name one. */
import { trace, TraceFlags } from "@opentelemetry/api";
import assert from "node:assert/strict";
import { test } from "node:test";
import { parentContextOf, traceHeadersOf } from "./trace-context.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

const parentOf = (traceparent: string) => trace.getSpanContext(parentContextOf({ traceparent }));

test("a parent is read with its flag", () => {
  const parent = parentOf(`00-${TRACE}-${SPAN}-01`);
  assert.deepEqual(
    [parent?.traceId, parent?.spanId, parent?.traceFlags],
    [TRACE, SPAN, TraceFlags.SAMPLED],
  );
  assert.equal(parentOf(`00-${TRACE}-${SPAN}-00`)?.traceFlags, TraceFlags.NONE);
});

for (const wrong of [
  "",
  `00-${TRACE}-${SPAN}`,
  `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  `00-${"0".repeat(32)}-${SPAN}-01`,
  `00-${TRACE}-${"0".repeat(16)}-01`,
  `ff-${TRACE}-${SPAN}-01`,
  `00-${TRACE}-${SPAN}-01-more`,
  `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
]) {
  test(`${JSON.stringify(wrong)} names no trace`, () => assert.equal(parentOf(wrong), undefined));
}

test("a later version may say more", () => {
  assert.equal(parentOf(`01-${TRACE}-${SPAN}-01-more`)?.spanId, SPAN);
});

test("what we write is read back as it was", () => {
  const header = `00-${TRACE}-${SPAN}-01`;
  const parent = parentOf(header);
  assert.ok(parent);
  assert.deepEqual(traceHeadersOf(parent), ["traceparent", header]);
  const unsampled = { ...parent, traceFlags: TraceFlags.NONE };
  assert.equal(traceHeadersOf(unsampled)[1], `00-${TRACE}-${SPAN}-00`);
});
