/**
 * What lets a browser into one preview. A *ticket* is fetched on our own origin, with the person's session, and
 * is shown once on the preview's host; what it is changed into there, a *pass*, is that host's cookie. Both are
 * statements that only servers can sign: of which credential of the person they come from, and for which
 * host they are. They open nothing else, and end with that credential.
 *
 * A ticket serves the browser alone that asked for it: it had been given a random text on the preview's host,
 * and the ticket is signed with the digest of that. So nobody can be let in as somebody else by a link.
 */
import type { Clock } from "@atelier/base/clock";
import type { Random } from "@atelier/base/random";
import { LRUCache } from "lru-cache";
import { createHash } from "node:crypto";

/** What signs and checks, for this purpose alone. */
export type PassSigner = {
  sign(text: string): string;
  isSigned(text: string, signature: string): boolean;
};

/** What a ticket is good for. */
export type TicketUse = {
  /** The preview's host, without the wildcard's ending. */
  readonly label: string;
  /** Digest of what the browser was given there. */
  readonly state: string;
};

export type PreviewPass = { readonly id: string; readonly apiKeyId: string };

/** From the redirect to our origin until the one back was followed. */
const TICKET_MS_MAX = 60_000;
const TICKETS_MAX = 100_000;
/** Afterwards the browser fetches another, which nobody notices while they are signed in. */
export const PASS_MS_MAX = 24 * 3_600_000;
const BROWSER_TEXT_LENGTH = 32;

const TICKET = /^((\d{1,16})\.[0-9a-f-]{36})\.([a-zA-Z0-9]{1,64})\.([\w.-]{1,256})$/;
const PASS = /^(\d{1,16})\.([0-9a-f-]{36})\.([a-zA-Z0-9]{1,64})\.([\w.-]{1,256})$/;

/** As `stateOf` makes them. */
export const STATE_PATTERN = /^[\w-]{43}$/;

/** What is told of a browser's text. */
export function stateOf(browserText: string): string {
  return createHash("sha256").update(browserText).digest("base64url");
}

export class PreviewPasses {
  readonly #deps: { readonly clock: Clock; readonly random: Random; readonly signer: PassSigner };
  /** Tickets that were shown here. Another server would still want the browser's own text. */
  readonly #used = new LRUCache<string, true>({ max: TICKETS_MAX });

  constructor(deps: {
    readonly clock: Clock;
    readonly random: Random;
    readonly signer: PassSigner;
  }) {
    this.#deps = deps;
  }

  /** For a browser to keep on a preview's host until its ticket comes. */
  drawBrowserText(): string {
    return this.#deps.random.alphanumeric(BROWSER_TEXT_LENGTH);
  }

  issueTicket(apiKeyId: string, use: TicketUse): string {
    const { clock, random, signer } = this.#deps;
    const stamp = `${clock.now().getTime()}.${random.uuid()}`;
    return `${stamp}.${apiKeyId}.${signer.sign(ticketText(stamp, apiKeyId, use))}`;
  }

  /** The id of the credential that it was fetched with, the first time that it is shown. */
  takeTicket(ticket: string, use: TicketUse): string | null {
    const [, stamp, time, apiKeyId, signature] = TICKET.exec(ticket) ?? [];
    if (stamp === undefined || apiKeyId === undefined || signature === undefined) return null;
    const { clock, signer } = this.#deps;
    // Of two servers, the clock of the one that issued it may be ahead.
    if (Math.abs(clock.now().getTime() - Number(time)) > TICKET_MS_MAX) return null;
    if (!signer.isSigned(ticketText(stamp, apiKeyId, use), signature)) return null;
    if (this.#used.has(stamp)) return null;
    this.#used.set(stamp, true);
    return apiKeyId;
  }

  issuePass(apiKeyId: string, label: string): string {
    const { clock, random, signer } = this.#deps;
    const stamp = `${clock.now().getTime() + PASS_MS_MAX}.${random.uuid()}`;
    return `${stamp}.${apiKeyId}.${signer.sign(passText(stamp, apiKeyId, label))}`;
  }

  /** Null: it is none of ours, of another host, or too old. Whether its person may still enter is not said. */
  readPass(pass: string, label: string): PreviewPass | null {
    const [, expires, id, apiKeyId, signature] = PASS.exec(pass) ?? [];
    if (id === undefined || apiKeyId === undefined || signature === undefined) return null;
    const { clock, signer } = this.#deps;
    if (clock.now().getTime() >= Number(expires)) return null;
    const text = passText(`${expires}.${id}`, apiKeyId, label);
    return signer.isSigned(text, signature) ? { id, apiKeyId } : null;
  }
}

function ticketText(stamp: string, apiKeyId: string, { label, state }: TicketUse): string {
  return ["ticket", stamp, apiKeyId, label, state].join("\n");
}

function passText(stamp: string, apiKeyId: string, label: string): string {
  return ["pass", stamp, apiKeyId, label].join("\n");
}
