/**
 * The token by which a workspace agent's machine is known. Only its SHA-256 is kept: it is drawn by
 * us with about 238 bits, so that nobody can list what it might be.
 */
import { hash } from "node:crypto";
import type { Random } from "@atelier/base/random";
import { Secret } from "@atelier/base/secret";

/** Tells it from tokens of people, and scanners for secrets what it is. */
const PREFIX = "atelier_agent_";
const LENGTH = 40;
const PATTERN = new RegExp(`^${PREFIX}[A-Za-z0-9]{${LENGTH}}$`);

export function drawAgentToken(random: Random): Secret {
  return new Secret(PREFIX + random.alphanumeric(LENGTH));
}

/** Null: it cannot be one of ours, and nobody needs to ask the database. */
export function hashAgentToken(token: Secret): Buffer | null {
  return PATTERN.test(token.reveal()) ? hash("sha256", token.reveal(), "buffer") : null;
}
