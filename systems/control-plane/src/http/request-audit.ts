/**
 * The audit trail of one request. A handler records its change in its own transaction; what was
 * refused or broke is recorded here afterwards, when somebody known tried.
 */
import type { Clock } from "@atelier/base/clock";
import { maskCredential } from "@atelier/base/mask";
import type { Random } from "@atelier/base/random";
import type { Endpoint } from "@atelier/contract/endpoint";
import type { ServiceAuditPiece } from "@atelier/contract/rpc/endpoint-service";
import type { Sql } from "@atelier/database/database";
import type { Actor } from "../access/actor.ts";
import type { AuditEvent } from "../audit/audit-event.ts";
import type { AuditEntry, RequestTrail } from "../audit/audit-trail.ts";
import type { RequestFacts } from "./route.ts";

export type RequestAuditDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly sql: Sql;
  readonly insertAuditEvent: (sql: Sql, event: AuditEvent) => Promise<void>;
  /** The same as a piece of the statement that makes the change. */
  readonly auditEventPiece: (event: AuditEvent) => Omit<ServiceAuditPiece, "written">;
};

type Attempt = Pick<AuditEntry, "resourceId" | "target" | "userId">;

export class RequestAudit implements RequestTrail {
  readonly #deps: RequestAuditDeps;
  readonly #words: NonNullable<Endpoint["audit"]>;
  readonly #successStatus: number;
  readonly #facts: RequestFacts;
  #actor: Actor | null = null;
  #pathTarget = "";
  #attempt: Attempt | null = null;
  #hasRecorded = false;

  constructor(
    deps: RequestAuditDeps,
    endpoint: {
      readonly audit: NonNullable<Endpoint["audit"]>;
      readonly success: Endpoint["success"];
    },
    facts: RequestFacts,
  ) {
    this.#deps = deps;
    this.#words = endpoint.audit;
    this.#successStatus = endpoint.success.status;
    this.#facts = facts;
  }

  /** True once the handler recorded something. */
  get hasRecorded(): boolean {
    return this.#hasRecorded;
  }

  actorIs(actor: Actor): void {
    this.#actor = actor;
  }

  /** What the path names, for attempts that end before a handler can say it better. */
  pathNames(target: string): void {
    this.#pathTarget = target;
  }

  async record(sql: Sql, entry: AuditEntry): Promise<void> {
    await this.#deps.insertAuditEvent(sql, this.#toEvent(entry, this.#successStatus));
    this.#hasRecorded = true;
  }

  piece(entry: AuditEntry): ServiceAuditPiece {
    const piece = this.#deps.auditEventPiece(this.#toEvent(entry, this.#successStatus));
    const written = (): void => {
      this.#hasRecorded = true;
    };
    return { ...piece, written };
  }

  attempted(attempt: Attempt): void {
    this.#attempt = attempt;
  }

  /** The row of an attempt that failed. Null when nobody known tried: strangers fill no log. */
  async recordFailure(statusCode: number): Promise<void> {
    if (this.#actor === null && this.#attempt === null) return;
    const attempt = this.#attempt ?? { resourceId: null, target: this.#pathTarget };
    // What was not found has no name but what the client wrote in its place.
    const target = attempt.resourceId === null ? withoutCredential(attempt.target) : attempt.target;
    const entry = { ...attempt, target };
    await this.#deps.insertAuditEvent(this.#deps.sql, this.#toEvent(entry, statusCode));
  }

  #toEvent(entry: AuditEntry, statusCode: number): AuditEvent {
    return {
      id: this.#deps.random.uuid(),
      time: this.#deps.clock.now(),
      userId: this.#actor?.userId ?? entry.userId ?? null,
      action: entry.action ?? this.#words.action,
      resource: entry.resource ?? this.#words.resource,
      resourceId: entry.resourceId,
      target: entry.target,
      diff: entry.diff ?? {},
      statusCode,
      additionalFields: entry.additionalFields ?? {},
      requestId: this.#facts.requestId,
      ip: this.#facts.ip,
      userAgent: this.#facts.userAgent,
    };
  }
}

/** People paste keys where names belong. Ids and addresses are long too, and are no secrets. */
const LONG_NAME_LENGTH_MIN = 20;
const NO_SECRET = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$|^[^@\s]+@[^@\s]+\.[^@\s]+$/i;

function withoutCredential(text: string): string {
  return text.length < LONG_NAME_LENGTH_MIN || NO_SECRET.test(text) ? text : maskCredential(text);
}
