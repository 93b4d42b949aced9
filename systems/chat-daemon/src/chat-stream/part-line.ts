/**
 * What servers say to each other on a line about one chat (spec agents 4.4, "Relay"): which attempt is
 * wanted, the last one named counts; and its parts, all from the first on, as viewers are told them.
 */
import { LivePart } from "@atelier/contract/chat/stream-event";
import { SharedText } from "@atelier/contract/rpc/socket-service";
import { z } from "zod";
import type { BufferedPart, EpisodeId, PartGroup } from "../live-parts/part-buffer.ts";
import { toPartEvent } from "./viewer-sync.ts";

const EpisodeChoice = z.object({ history_version: z.int(), generation_attempt: z.int() });
const Told = z.array(z.object({ chat_id: z.uuid(), message_part: LivePart })).min(1);

export function choiceText({ historyVersion, generationAttempt }: EpisodeId): string {
  return JSON.stringify({
    history_version: historyVersion,
    generation_attempt: generationAttempt,
  } satisfies z.infer<typeof EpisodeChoice>);
}

/** Null: it names none. */
export function parseChoice(text: string, chatId: string): EpisodeId | null {
  const { success, data } = EpisodeChoice.safeParse(parseJson(text));
  if (!success) return null;
  return {
    chatId,
    historyVersion: data.history_version,
    generationAttempt: data.generation_attempt,
  };
}

/** A group as viewers and other servers are told it: written and framed once for all of them. */
export function groupText(group: PartGroup, episode: EpisodeId): SharedText {
  const known = group.shared;
  if (known instanceof SharedText) return known;
  const made = new SharedText(
    JSON.stringify(group.parts.map((part) => toPartEvent(episode, part))),
  );
  group.shared = made;
  return made;
}

/** Parts of this episode. None: they are another's. Null: the other server says something else. */
export function parseGroup(text: string, episode: EpisodeId): readonly BufferedPart[] | null {
  const { success, data } = Told.safeParse(parseJson(text));
  if (!success) return null;
  const own = data.filter(
    ({ chat_id: chatId, message_part: part }) =>
      chatId === episode.chatId &&
      part.history_version === episode.historyVersion &&
      part.generation_attempt === episode.generationAttempt,
  );
  return own.map(({ message_part: { seq, role, part } }) => ({ seq, role, part }));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // No schema takes it.
  }
}
