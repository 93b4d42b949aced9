/** Two real servers on one Postgres, started at once on an empty database: both want to migrate it. */
import { startRealServer, type RealServer } from "@atelier/testkit/real-server";
import type { Database } from "@atelier/database/database";
import { testDatabase } from "@atelier/testkit/test-database";

export type TwoServers = AsyncDisposable & {
  readonly one: RealServer;
  readonly two: RealServer;
  readonly database: Database;
};

/** Both must be able to open what either has sealed. */
const ENCRYPTION_KEY = Buffer.alloc(32, 7).toString("base64");

/** `others`: arguments of the second, where they differ from those of the first. */
export async function startTwoServers(
  args: readonly string[] = [],
  others = args,
): Promise<TwoServers> {
  await using resources = new AsyncDisposableStack();
  const database = resources.use(await testDatabase());
  const start = (own: readonly string[]): Promise<RealServer> =>
    startRealServer({
      postgresUrl: database.url,
      args: own,
      env: { ATELIER_EXTERNAL_TOKEN_ENCRYPTION_KEYS: ENCRYPTION_KEY },
    });
  const [one, two] = await Promise.all([start(args), start(others)]);
  resources.use(one);
  resources.use(two);
  const held = resources.move();
  return { one, two, database, [Symbol.asyncDispose]: () => held.disposeAsync() };
}
