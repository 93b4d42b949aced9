/**
 * What the model of struck chats knows of summaries: which one it was sent, what that stands for, and what must
 * not be sent beside it. A summary names what it was made of, so that what is said again can be told.
 */
import { askedIn, type Asked, type Block } from "./chat-kills-ask.ts";

/** Of the model that such chats have, in tokens. A first message fills it, and little else comes near. */
export const SMALL_CONTEXT_TOKENS = 6_000;
const CHARACTERS_PER_TOKEN = 3;
/** A person's, beside what they ask for. */
export const FILLER = "So much was said before. ".repeat(700);

const PREFIX = "This is a summary of the conversation so far";
const SUMMARY =
  /Summary (s\d+) of (\S*)\. To be gone on with: (#\S+ \w+ \S+) behind (\d+) results\.$/;

export type ReadSummary = {
  readonly serial: string;
  /** Keys of what people asked for. */
  readonly of: readonly string[];
  readonly asked: Asked | null;
  readonly results: number;
};

export function isSummaryAsked(text: string): boolean {
  return text.startsWith("Summarise this conversation");
}

/** Of the messages only: what comes with every request is none of a chat's. */
export function tokensOf(messages: readonly Block[]): number {
  return Math.ceil(JSON.stringify(messages).length / CHARACTERS_PER_TOKEN);
}

export function summaryText(
  serial: string,
  { asked, results }: { readonly asked: Asked | null; readonly results: number },
  messages: readonly Block[],
): string {
  const texts = textsOf(messages);
  const earlier = texts.flatMap((text) => readSummary(text)?.of ?? []);
  const keys = [...earlier, ...texts.flatMap((text) => askedIn(text)?.key ?? [])];
  const next = `#${asked?.key} ${asked?.kind} ${asked?.home}`;
  return `Summary ${serial} of ${keys.join(",")}. To be gone on with: ${next} behind ${results} results.`;
}

/** Null: it is none, or none of this model's. */
export function readSummary(text: string): ReadSummary | null {
  const found = text.startsWith(PREFIX) ? SUMMARY.exec(text.trim()) : null;
  if (found === null) return null;
  const [, serial = "", of = "", asked = "", results = ""] = found;
  return { serial, of: of.split(","), asked: askedIn(asked), results: Number(results) };
}

/** A summary stands first and alone, nothing that it sums up is sent again, and no message twice. */
export function contextFaults(messages: readonly Block[]): readonly string[] {
  const texts = textsOf(messages);
  const summaries = texts.filter((text) => text.startsWith(PREFIX));
  const asked = texts.flatMap((text) => askedIn(text)?.key ?? []);
  const summed = summaries.flatMap((text) => readSummary(text)?.of ?? []);
  const again = asked.filter((key, index) => summed.includes(key) || asked.indexOf(key) < index);
  const isFirst = summaries.length === 0 || textsOf(messages.slice(0, 1))[0] === summaries[0];
  return [
    ...(summaries.length > 1 ? [`the model was sent ${summaries.length} summaries`] : []),
    ...(isFirst ? [] : ["the model was sent something before the summary"]),
    ...again.map((key) => `the model was sent #${key} again`),
  ];
}

function textsOf(messages: readonly Block[]): readonly string[] {
  return messages.flatMap(({ role, content }) => {
    if (role !== "user") return [];
    if (typeof content === "string") return [content];
    return (content as readonly Block[]).flatMap((block) =>
      block["type"] === "text" ? [String(block["text"])] : [],
    );
  });
}
