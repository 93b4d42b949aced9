import assert from "node:assert/strict";
import { test } from "node:test";
import {
  limitsBody,
  noticeText,
  spentPercent,
  spentText,
  textsOfLimits,
  unpricedText,
} from "./spending-words.ts";

const STATUS = {
  is_limited: true,
  period: "month",
  from: "2026-11-01T00:00:00.000Z",
  resets_at: "2026-12-01T00:00:00.000Z",
  spent_micros: 3_200_000,
  limit_micros: 50_000_000,
  unpriced_request_count: 0,
} as const;

test("a limit that was read is written as it was", () => {
  const limits = { enabled: true, default_limit_micros: 2_500_000, period: "week" } as const;
  assert.deepEqual(limitsBody(textsOfLimits(limits)), { ok: true, value: limits });
  const nothing = { ...limits, default_limit_micros: 0 };
  assert.deepEqual(limitsBody(textsOfLimits(nothing)), { ok: true, value: nothing });
});

test("whoever switches limits on says how much: nobody is cut off by an empty field", () => {
  const off = { enabled: false, default_limit_micros: 0, period: "month" } as const;
  const texts = textsOfLimits(off);
  assert.equal(texts.default_limit_micros, "");
  assert.deepEqual(limitsBody(texts), { ok: true, value: off });
  for (const typed of ["", " ", "much", "-1"]) {
    const body = limitsBody({ ...texts, enabled: "true", default_limit_micros: typed });
    assert.ok(!body.ok);
    assert.equal(body.failure.validations[0]?.field, "default_limit_micros");
  }
});

test("what was spent is told with its limit, its period and what is not in it", () => {
  assert.equal(spentText(STATUS), "$3.20 of $50 this month");
  assert.equal(spentText({ ...STATUS, limit_micros: null, period: "day" }), "$3.20 today");
  assert.equal(unpricedText(STATUS), "");
  assert.match(
    unpricedText({ ...STATUS, unpriced_request_count: 1 }),
    /^1 request .* is not in it/,
  );
  assert.match(unpricedText({ ...STATUS, unpriced_request_count: 2 }), /^2 requests .* are not/);
});

test("who has spent most of it is warned, and others are not", () => {
  const at = (dollars: number) => noticeText({ ...STATUS, spent_micros: dollars * 1_000_000 });
  assert.equal(at(39.99), "");
  assert.match(at(40), /^Your agents have cost \$40\.00 of \$50 this month\. When it is spent/);
  assert.match(at(50), /\. They take no messages until /);
  assert.equal(noticeText({ ...STATUS, limit_micros: null, spent_micros: 1e12 }), "");
});

test("a limit looks reached only when it is", () => {
  assert.equal(spentPercent({ ...STATUS, limit_micros: null }), null);
  assert.equal(spentPercent(STATUS), 6);
  assert.equal(spentPercent({ ...STATUS, spent_micros: 49_999_999 }), 99);
  assert.equal(spentPercent({ ...STATUS, spent_micros: 90_000_000 }), 100);
  assert.equal(spentPercent({ ...STATUS, spent_micros: 0, limit_micros: 0 }), 100);
});
