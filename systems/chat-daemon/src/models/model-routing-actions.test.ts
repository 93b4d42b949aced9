/** Which way a model is reached: the seed's rules, one by one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { Secret } from "@atelier/base/secret";
import { ProviderAuth } from "@atelier/contract/rpc/model-transport";
import {
  directProviderKeys,
  providerHint,
  withProviderHint,
  type ResolvedModelRoute,
} from "./model-route.ts";
import {
  resolveModelRouteForConfig,
  resolveModelRouteForProviderType,
  type RoutingDeps,
} from "./model-routing-actions.ts";
import { ProviderKeys } from "./provider-keys.ts";
import { authSource, catalog, CENTRAL_KEY, OWN_KEY, OWNER, provider } from "./models-testkit.ts";

const OPENAI = provider();
const CONFIG = { id: "cfg-1", aiProviderId: OPENAI.id, provider: "", model: "gpt-x" };

function deps(fields: Partial<RoutingDeps> = {}): RoutingDeps {
  return {
    catalog: catalog([OPENAI]),
    providerAuth: authSource(),
    isGatewayRoutingEnabled: true,
    ...fields,
  };
}
const direct = (fields: Partial<RoutingDeps> = {}): RoutingDeps =>
  deps({ isGatewayRoutingEnabled: false, ...fields });

async function routed(outcome: ReturnType<typeof resolveModelRouteForConfig>) {
  const route = await outcome;
  assert.ok(route.ok, JSON.stringify(route));
  return route.value;
}
async function refused(outcome: ReturnType<typeof resolveModelRouteForConfig>) {
  const route = await outcome;
  assert.ok(!route.ok);
  return [route.failure.kind, route.failure.message, route.failure.retryable];
}

test("an unset route is an error to whoever asks for its hint, and stays one", () => {
  const want = {
    ok: false,
    failure: { kind: "config", message: "model route is not configured", retryable: false },
  };
  assert.deepEqual(providerHint({ kind: "unset" }), want);
  assert.deepEqual(providerHint(withProviderHint({ kind: "unset" }, "openai")), want);
});

test("another hint makes another route, and leaves the first as it was", async () => {
  for (const each of [deps(), direct()]) {
    const route = await routed(resolveModelRouteForConfig(each, OWNER, CONFIG));
    const other = withProviderHint(route, "google");
    assert.deepEqual(
      [providerHint(route), providerHint(other)],
      [
        { ok: true, value: "openai" },
        { ok: true, value: "google" },
      ],
    );
  }
});

test("one boolean chooses the way, for configurations and for types", async () => {
  for (const [each, kind] of [
    [deps(), "ai_gateway"],
    [direct(), "direct"],
  ] as const) {
    assert.equal((await routed(resolveModelRouteForConfig(each, OWNER, CONFIG))).kind, kind);
    assert.equal(
      (await routed(resolveModelRouteForProviderType(each, OWNER, "openai"))).kind,
      kind,
    );
  }
});

test("a route through the gateway holds no keys, and asks for none", async () => {
  const providers = catalog([OPENAI]);
  const route = await routed(
    resolveModelRouteForConfig(deps({ catalog: providers }), OWNER, CONFIG),
  );
  assert.equal(directProviderKeys(route).isEmpty, true);
  assert.deepEqual(providers.asked, []);
});

test("gateway: a configuration without a provider, one that is gone or disabled is refused", async () => {
  const bare = { ...CONFIG, aiProviderId: null, provider: "openai" };
  assert.deepEqual(await refused(resolveModelRouteForConfig(deps(), OWNER, bare)), [
    "config",
    "AI Gateway routing requires AI provider metadata for model config cfg-1 (gpt-x)",
    false,
  ]);
  for (const each of [deps, direct]) {
    const gone = each({ catalog: catalog([]) });
    const [kind, message] = await refused(resolveModelRouteForConfig(gone, OWNER, CONFIG));
    assert.equal(kind, "config");
    assert.match(String(message), /^get AI provider: /);
    const off = each({ catalog: catalog([{ ...OPENAI, enabled: false }]) });
    assert.deepEqual(await refused(resolveModelRouteForConfig(off, OWNER, CONFIG)), [
      "provider_disabled",
      `AI provider ${OPENAI.id} is disabled`,
      false,
    ]);
  }
});

test("gateway, by type: what a provider is in effect goes before what it is called", async () => {
  const off = provider({ type: "anthropic", name: "a-off", enabled: false });
  const onBedrock = provider({ type: "anthropic", name: "b-bedrock", isBedrock: true });
  const real = provider({ type: "anthropic", name: "c-real" });
  const nameOf = async (providers: Parameters<typeof catalog>[0], type: string) => {
    const route = await routed(
      resolveModelRouteForProviderType(deps({ catalog: catalog(providers) }), OWNER, type),
    );
    assert.equal(route.kind, "ai_gateway");
    return route.provider?.name;
  };
  assert.equal(await nameOf([off, onBedrock, real], "anthropic"), "c-real");
  assert.equal(await nameOf([off, onBedrock, real], " Bedrock "), "b-bedrock");
  assert.equal(await nameOf([off, onBedrock], "anthropic"), "b-bedrock");
  assert.deepEqual(
    await refused(
      resolveModelRouteForProviderType(deps({ catalog: catalog([off]) }), OWNER, "anthropic"),
    ),
    [
      "config",
      'AI Gateway routing requires a usable AI provider for provider type "anthropic"',
      false,
    ],
  );
});

test("gateway: a key that cannot be read stops the route; the company's does not serve instead", async () => {
  const providerAuth = { authOf: () => Promise.reject(new Error("the database is away")) };
  await assert.rejects(resolveModelRouteForConfig(deps({ providerAuth }), OWNER, CONFIG), {
    message: "resolve AI Gateway provider auth: get user AI provider key: the database is away",
  });
});

test("direct: a provider's own address survives, with the key that policy names", async () => {
  const custom = provider({ baseUrl: "http://elsewhere.test/v7" });
  for (const [ownKeys, key] of [
    [[], CENTRAL_KEY],
    [[custom.id], OWN_KEY],
  ] as const) {
    const each = direct({ catalog: catalog([custom], { ownKeys }) });
    const route = await routed(resolveModelRouteForConfig(each, OWNER, CONFIG));
    const keys = directProviderKeys(route);
    assert.equal(keys.baseUrlOf("openai"), "http://elsewhere.test/v7");
    assert.equal(keys.accessTo("openai")?.key?.reveal(), key);
    assert.equal(keys.accessTo("anthropic"), undefined);
  }
});

test("direct: without a provider, fallback keys serve where they can, and else all that there are", async () => {
  const bare = { ...CONFIG, aiProviderId: null, provider: "openai" };
  const access = {
    key: new Secret("sk-fallback"),
    bedrock: null,
    apiVersion: null,
    baseUrl: "http://f.test",
  };
  const fallback = ProviderKeys.of([["openai", access]]);
  const other = ProviderKeys.of([["google", access]]);
  const keyWith = async (keys: ProviderKeys) => {
    const route = await routed(resolveModelRouteForConfig(direct(), OWNER, bare, keys));
    return directProviderKeys(route).accessTo("openai")?.key?.reveal();
  };
  assert.deepEqual(
    [await keyWith(fallback), await keyWith(other), await keyWith(ProviderKeys.none)],
    ["sk-fallback", CENTRAL_KEY, CENTRAL_KEY],
  );
});

test("direct, by type: nothing usable is a missing key", async () => {
  for (const providers of [
    catalog([]),
    catalog([provider({ enabled: false })]),
    catalog([OPENAI], { credentials: { key: null, source: "none" } }),
  ]) {
    const outcome = resolveModelRouteForProviderType(
      direct({ catalog: providers }),
      OWNER,
      "openai",
    );
    assert.deepEqual(await refused(outcome), ["missing_key", "OPENAI_API_KEY is not set", false]);
  }
});

test("no way of printing a route shows a key", async () => {
  const custom = provider({ type: "anthropic" });
  const routes: ResolvedModelRoute[] = [
    await routed(
      resolveModelRouteForProviderType(direct({ catalog: catalog([custom]) }), OWNER, "anthropic"),
    ),
    {
      kind: "ai_gateway",
      provider: custom,
      modelProviderHint: "anthropic",
      providerAuth: ProviderAuth.ownKey("anthropic", new Secret(OWN_KEY)),
    },
  ];
  const [first] = routes;
  assert.ok(first !== undefined);
  assert.equal(inspect(directProviderKeys(first)), "ProviderKeys{<redacted>}");
  for (const route of routes) {
    const values = [route, { route }, [route], ...Object.values(route)];
    const texts = values.flatMap((value) => [
      String(value),
      `${value as string}`,
      JSON.stringify(value),
      inspect(value, { depth: 9, showHidden: true }),
      JSON.stringify(value, null, 2),
    ]);
    for (const text of texts) assert.doesNotMatch(text, /sk-(?:own|central)/);
    assert.ok(texts.some((text) => text.includes("<redacted>")));
  }
});
