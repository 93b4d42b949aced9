/** The log lines of an interception, with the fields that operators search for (spec gateway 4.0, 10.5). */
import { maskCredential } from "@atelier/base/mask";
import type { Logger } from "@atelier/base/logger";
import type { InterceptionEnd, InterceptionStart } from "@atelier/contract/rpc/gateway-ports";
import type { ChosenCredential } from "./choose-credential.ts";

/** In the log of a start that one of the company's keys will serve (spec gateway 5.7). */
const KEY_PENDING = "<keypool-pending>";

/** Clients name models as they like, and as long as they like. */
const MODEL_LENGTH_MAX = 256;

export type LoggedInterception = {
  readonly start: InterceptionStart;
  readonly route: string;
  readonly streaming: boolean;
  readonly chosen: ChosenCredential;
};

export function logInterceptionStarted(log: Logger, interception: LoggedInterception): void {
  const { chosen } = interception;
  log.debug(
    {
      ...aboutOf(interception),
      credential_hint: chosen.hint === "" ? KEY_PENDING : chosen.hint,
      ...(chosen.kind === "byok" ? ownCredentialFields(chosen) : {}),
    },
    "interception started",
  );
}

export function logInterceptionEnded(
  log: Logger,
  interception: LoggedInterception,
  end: InterceptionEnd,
): void {
  const fields = {
    ...aboutOf(interception),
    credential_hint: end.credentialHint,
    duration_ms: end.endedAt.getTime() - interception.start.startedAt.getTime(),
  };
  if (end.error === null) log.debug(fields, "interception ended");
  else log.warn({ ...fields, error: end.error }, "interception failed");
}

function aboutOf({ start, route, streaming }: LoggedInterception): object {
  return {
    interception_id: start.id,
    provider: start.provider.name,
    model: start.model.slice(0, MODEL_LENGTH_MAX),
    route,
    user_agent: start.userAgent,
    streaming,
    credential_kind: start.credentialKind,
  };
}

/** Which header a caller's own credential came in, and how long it is: for those whose setup fails. */
function ownCredentialFields({ credential }: Extract<ChosenCredential, { kind: "byok" }>): object {
  const isBearer = credential.header === "authorization";
  const value = isBearer ? credential.value.replace(/^Bearer /i, "") : credential.value;
  return {
    [isBearer ? "bearer_hint" : "api_key_hint"]: maskCredential(value),
    credential_length: [...value].length,
  };
}
