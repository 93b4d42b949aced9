/**
 * Effects: what makes a repeated call harmless. A caller that may have to repeat a mutating call
 * (a chat whose server died) stamps it. The agent writes the stamp to disk before it acts and the
 * outcome after, and answers a repeat with the recorded outcome (design 5).
 *
 * - Same chat, call and input hash: the recorded outcome, `replayed` true. Still running: the repeat
 *   joins it.
 * - Same chat and call, other hash: `effect_mismatch`; nothing happens.
 * - A fence lower than the highest that the agent has seen for the chat: `stale_fence`; nothing
 *   happens, also where an outcome is recorded.
 * - Begun but without outcome after a restart of the agent: the service says what is true: done,
 *   provably not done (then it is done now), or `effect_lost`.
 */
import { z } from "zod";

const Name = z.string().min(1).max(128);

export const EffectSchema = z.object({
  chatId: Name,
  /** One tool call of one message: unique in its chat. */
  callId: Name,
  /** SHA-256 of the canonical input, in lower-case hex. */
  inputHash: z.string().regex(/^[0-9a-f]{64}$/),
  /** Grows with every change of who runs the chat. */
  fence: z.number().int().nonnegative(),
});
export type Effect = z.infer<typeof EffectSchema>;

/** Part of every mutating input. Null: a person acts, who sees what happens. */
export const MaybeEffect = EffectSchema.nullable().default(null);

/** Part of every mutating answer. */
export const Replayed = z.object({ replayed: z.boolean() });
