/** A real server with a scripted model behind it as two providers, and a person who may use both. */
import {
  setUpFirstUser,
  startRealServer,
  type FirstUser,
  type RealServer,
} from "@atelier/testkit/real-server";
import { startScriptedModel } from "@atelier/testkit/scripted-model";
import { testDatabase } from "@atelier/testkit/test-database";

export const CENTRAL_KEY = "sk-central-0123456789abcdef";

export type ScriptedModel = Awaited<ReturnType<typeof startScriptedModel>>;

export type GatewayWorld = AsyncDisposable & {
  readonly server: RealServer;
  readonly model: ScriptedModel;
  readonly person: FirstUser;
  /** `…/api/v2/ai-gateway` */
  readonly gatewayUrl: string;
  readonly postgresUrl: string;
  /** As the API lists them, once so many have ended. */
  interceptions(count: number): Promise<any[]>; // oxlint-disable-line typescript/no-explicit-any
  /** The one with this prompt, once it has ended. */
  interceptionOf(prompt: string): Promise<any>; // oxlint-disable-line typescript/no-explicit-any
};

export async function startGatewayWorld(args: readonly string[] = []): Promise<GatewayWorld> {
  await using resources = new AsyncDisposableStack();
  const database = resources.use(await testDatabase());
  const model = resources.use(await startScriptedModel({ apiKey: CENTRAL_KEY }));
  const server = resources.use(await startRealServer({ postgresUrl: database.url, args }));
  const person = await setUpFirstUser(server);
  await createProvider(server, person, {
    name: "openai",
    type: "openai",
    base_url: `${model.url}/v1`,
  });
  await createProvider(server, person, {
    name: "anthropic",
    type: "anthropic",
    base_url: model.url,
  });
  const held = resources.move();
  return {
    server,
    model,
    person,
    gatewayUrl: `${server.url}/api/v2/ai-gateway`,
    postgresUrl: database.url,
    interceptions: (count) =>
      endedInterceptions(server, person, (all) => (all.length >= count ? all : null)),
    interceptionOf: (prompt) =>
      endedInterceptions(
        server,
        person,
        (all) => all.find((each) => each.user_prompts[0]?.prompt === prompt) ?? null,
      ),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

export async function createProvider(
  server: RealServer,
  person: FirstUser,
  provider: { readonly name: string; readonly type: string; readonly base_url: string },
): Promise<void> {
  const created = await server.api("POST", "/api/v2/ai/providers", {
    token: person.session,
    body: { ...provider, api_keys: [CENTRAL_KEY] },
  });
  if (created.status !== 201) throw new Error(JSON.stringify(created.body));
}

/** Asks again until what is wanted is there. */
export async function endedInterceptions<Wanted>(
  server: RealServer,
  person: FirstUser,
  // oxlint-disable-next-line typescript/no-explicit-any -- Answers of the API, as they come.
  pick: (all: any[]) => Wanted | null,
): Promise<Wanted> {
  const deadlineMs = performance.now() + 60_000;
  for (;;) {
    const { body } = await server.api("GET", "/api/v2/ai-gateway/interceptions?limit=1000", {
      token: person.session,
    });
    const wanted = pick(body.results);
    if (wanted !== null) return wanted;
    if (performance.now() > deadlineMs) {
      throw new Error(`not within 10 s; ${body.results.length} interceptions have ended`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
