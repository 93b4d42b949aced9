/**
 * Does what a request asks for once, however often it comes: the answer is kept with the request's key
 * in the same transaction as what was done, so there is never one without the other.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import type { Sql } from "@atelier/database/database";
import type { ChatDeps } from "./chat-deps.ts";
import { findAnswer, insertAnswer, isKeyTaken } from "./request-key-store.ts";
import { inputHash, type RequestKey } from "./request-key.ts";

type KeyReused = Failure<"chat.request_key_reused">;

/** To be called in the transaction, with what will be answered. */
export type Keep<Answer> = (db: Sql, answer: Answer) => Promise<void>;

/** A key under which nothing is kept yet, as far as is known. */
export type NewKey = { readonly key: RequestKey; readonly inputHash: Buffer };

/**
 * Undefined key: each request is its own. Answers are JSON. `atOnce` comes before any look at the key: it
 * does all in one statement that fails where the key is taken, or nothing and returns null.
 */
export async function once<Answer, F>(
  deps: Pick<ChatDeps, "database" | "clock">,
  request: Omit<RequestKey, "key"> & { readonly key: string | undefined; readonly input: unknown },
  run: (keep: Keep<Answer>) => Promise<Result<Answer, F>>,
  atOnce: (key: NewKey | null) => Promise<Result<Answer, F> | null> = async () => null,
): Promise<Result<Answer, F | KeyReused>> {
  const { ownerId, operation, key, input } = request;
  if (key === undefined) return (await atOnce(null)) ?? run(async () => {});
  const requestKey = { ownerId, operation, key };
  const hash = inputHash(input);
  try {
    const done = await atOnce({ key: requestKey, inputHash: hash });
    if (done !== null) return done;
    const known = await repeated<Answer>(deps, requestKey, hash);
    if (known !== null) return known;
    return await run((db, answer) =>
      insertAnswer(db, requestKey, { inputHash: hash, answer, at: deps.clock.now() }),
    );
  } catch (error) {
    // The same request, before or at the same time: the other one did it.
    const other = isKeyTaken(error) ? await repeated<Answer>(deps, requestKey, hash) : null;
    if (other === null) throw error;
    return other;
  }
}

async function repeated<Answer>(
  { database }: Pick<ChatDeps, "database">,
  requestKey: RequestKey,
  hash: Buffer,
): Promise<Result<Answer, KeyReused> | null> {
  const kept = await findAnswer(database.sql, requestKey);
  if (kept === undefined) return null;
  if (!kept.inputHash.equals(hash)) return fail({ code: "chat.request_key_reused" });
  return ok(kept.answer as Answer); // Written by `run` under the same operation.
}

/** What a chat does to another one, by the call of the tool that does it. A failure is for the model. */
export async function agentCallOnce<Answer>(
  deps: Pick<ChatDeps, "database" | "clock">,
  call: RequestKey & { readonly input: unknown },
  run: (keep: Keep<Answer>) => Promise<Result<Answer, string>>,
): Promise<Result<Answer, string>> {
  const done = await once<Answer, string>(deps, call, run);
  if (done.ok) return done;
  const { failure } = done;
  return fail(
    typeof failure === "string" ? failure : "This call was made before with other words.",
  );
}
