/** Testing model providers over HTTP. */
import { ok } from "@atelier/base/result";
import * as contract from "@atelier/contract/http/ai-provider-test";
import type { z } from "zod";
import { route, type Route } from "../http/route.ts";
import {
  testProvider,
  type ProviderTestDeps,
  type ReportedKeyTest,
} from "./provider-test-actions.ts";

export function providerTestRoute(deps: ProviderTestDeps): Route {
  return route(contract.testModelProvider, async ({ audit, params, body, facts }) => {
    const { model = null, key: keyId = null } = body;
    const wish = { provider: params.provider, model, keyId, signal: facts.signal };
    const tested = await testProvider(deps, audit, wish);
    if (!tested.ok) return tested;
    const { provider, notes } = tested.value;
    const results = tested.value.results.map(toWire);
    const { id, name, type } = provider;
    const passed = results.length > 0 && results.every((each) => each.passed);
    return ok({ provider: { id, name, type }, passed, results, notes: [...notes] });
  });
}

function toWire(result: ReportedKeyTest): z.input<typeof contract.ProviderKeyTest> {
  const { key, checks, notes } = result;
  return {
    key: key === null ? null : { id: key.id, masked: key.masked, enabled: key.disabledAt === null },
    // A completion says more than the check before it.
    passed: checks.at(-1)?.outcome === "ok",
    checks: checks.map((check) => ({
      kind: check.kind,
      outcome: check.outcome,
      status: check.status,
      latency_ms: check.latencyMs,
      model: check.model,
      message: check.message,
      explanation: check.explanation,
      remedy: check.remedy,
    })),
    notes: [...notes],
  };
}
