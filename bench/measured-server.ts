/** The real server with its embedded Postgres, a token and a provider, for the benchmarks to load. */
import { setUpFirstUser, startRealServer } from "@atelier/testkit/real-server";

export type MeasuredServer = AsyncDisposable & {
  readonly port: number;
  readonly pid: number;
  readonly token: string;
};

export async function startMeasuredServer(provider: {
  readonly upstreamUrl: string;
  readonly key: string;
}): Promise<MeasuredServer> {
  const server = await startRealServer();
  const { session, token } = await setUpFirstUser(server);
  const created = await server.api("POST", "/api/v2/ai/providers", {
    token: session,
    body: {
      type: "openai",
      name: "mock",
      base_url: provider.upstreamUrl,
      api_keys: [provider.key],
    },
  });
  if (created.status !== 201) throw new Error(`provider: ${JSON.stringify(created.body)}`);
  return {
    port: server.port,
    pid: server.child.pid ?? 0,
    token,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
