/** Schemas that several endpoints share. */
import { z } from "zod";

export const NoParams = z.strictObject({});
export const NoQuery = z.strictObject({});

/** `me`, a user id, or a username. */
export const UserRef = z.string().min(1).max(64);
export const UserParams = z.strictObject({ user: UserRef });

export const Timestamp = z.iso.datetime().meta({ format: "date-time" });

/** Page size of ordinary lists. */
export const LIMIT_DEFAULT = 50;
export const LIMIT_MAX = 200;

export function limitOf(defaultLimit: number, max: number): z.ZodDefault<z.ZodCoercedNumber> {
  return z.coerce.number().int().min(1).max(max).default(defaultLimit);
}

/** Key paging: the id of the last item of the page before. */
export const Paging = {
  limit: limitOf(LIMIT_DEFAULT, LIMIT_MAX),
  after_id: z.string().min(1).max(256).optional(),
};

/** A page of a log, latest first; `q` are the `key:value` terms of that log. */
export const LogPaging = {
  limit: limitOf(LIMIT_DEFAULT, 1_000),
  after_id: z.uuid().optional(),
  q: z.string().max(1_024).optional(),
};

export const Problem = z.object({
  message: z.string(),
  detail: z.string().optional(),
  validations: z.array(z.object({ field: z.string(), detail: z.string() })).optional(),
  code: z.string(),
  /** These three: what a person spent and may spend on agents, where that is why. */
  spent_micros: z.int().optional(),
  limit_micros: z.int().optional(),
  resets_at: Timestamp.optional(),
  request_id: z.string().optional(),
});
