/**
 * The history that a chat's model may be sent, as a piece of the statement that reads the chat: all of it, or
 * what has changed since this server read it last.
 */
import { assert } from "@atelier/base/assert";
import type { Database } from "@atelier/database/database";
import type { TextValue } from "@atelier/database/text-statement";
import type { ReadBeside, ReadChat } from "./chat-machine.ts";
import type { ChatRow, StoredMessage } from "./chat-row.ts";
import {
  MESSAGE_COLUMNS_TEXT,
  NEWEST_BOUNDARY_TEXT,
  NEWEST_OF_PERSON_TEXT,
  toStoredFromJson,
  type MessageJson,
} from "./message-store.ts";
import {
  withChanges,
  type KnownHistory,
  type LastRead,
  type ReadHistories,
  type TextBeside,
} from "./read-histories.ts";

/** Where to read, and what was read before. */
export type Reading = { readonly pool: Database["pool"]; readonly histories: ReadHistories };

/**
 * An SQL expression over the row `chats`, with the two values of `knownValues` from the number `first` on: since
 * the newest boundary, and what the system says.
 */
export function historyText(first: number): string {
  return sinceText(`select ${NEWEST_BOUNDARY_TEXT} as first_id, 0 as asked_id`, first);
}

/** As `historyText`, and since the message that began the turn where that is older. */
export function historyOfTurnText(first: number): string {
  return sinceText(
    `select least(${NEWEST_BOUNDARY_TEXT}, asked_id) as first_id, asked_id
      from (select ${NEWEST_OF_PERSON_TEXT} as asked_id offset 0) as asked`,
    first,
  );
}

/**
 * The newest message of a person comes always: a key that is deleted takes its name off it without a new
 * revision, and no other's is asked for.
 */
const sinceText = (bounds: string, first: number): string => `(
  select json_build_object('first_id', first_id, 'since', since, 'messages', (
    select coalesce(json_agg(message order by message.id), '[]') from (
      select ${MESSAGE_COLUMNS_TEXT} from chat_messages
      where chat_id = chats.id and (revision > since or id = asked_id)
        and (since > 0 or (not deleted and (role = 'system' or id >= first_id)))
    ) as message))::text
  from (
    select first_id, asked_id, case
      when first_id < $${first + 1}::bigint or $${first}::bigint > chats.history_version then 0
      else $${first}::bigint end as since
    from (${bounds} offset 0) as bounds offset 0
  ) as needed)`;

export function knownValues(known: KnownHistory | undefined): readonly TextValue[] {
  return [String(known?.version ?? 0), String(known?.firstId ?? 0)];
}

type HistoryJson = {
  readonly first_id: number;
  /** 0: this is all. */
  readonly since: number;
  readonly messages: readonly MessageJson[];
};

/**
 * What such an expression gave. `known`: of which the statement was told. `text`: null where it is as this server
 * left it. `added`: is behind it. `beside`: null where nothing was read beside the chat.
 */
export function keepHistory(
  histories: ReadHistories,
  chat: ChatRow,
  {
    text,
    known,
    beside,
    added = [],
  }: {
    readonly text: string | null;
    readonly known: KnownHistory | undefined;
    readonly beside: TextBeside | null;
    readonly added?: readonly StoredMessage[];
  },
): readonly StoredMessage[] {
  const history = text === null ? asLeft(known) : read(text, known);
  const messages = [...history.messages, ...added];
  histories.keep(chat.id, {
    ...{ version: chat.historyVersion, firstId: history.firstId, messages, rest: null },
    read: beside && { chat, beside },
    chars: history.chars + (added.length === 0 ? 0 : JSON.stringify(added).length),
  });
  return messages;
}

/** As `KnownHistory` has it. */
type History = Pick<KnownHistory, "firstId" | "messages" | "chars">;

function asLeft(known: KnownHistory | undefined): History {
  const { firstId = 0, messages = [], rest = null, chars = 0 } = known ?? {};
  assert(rest !== null, "a history is as it was left where that is known");
  return { firstId, messages: [...messages, ...rest.written], chars };
}

function read(text: string, known: KnownHistory | undefined): History {
  const { first_id: firstId, since, messages: rows } = JSON.parse(text) as HistoryJson; // As selected.
  const came = rows.map(toStoredFromJson);
  if (since === 0) return { firstId, messages: came, chars: text.length };
  const messages = withChanges(known?.messages ?? [], came, firstId);
  return { firstId, messages, chars: (known?.chars ?? 0) + text.length };
}

/** A chat as a statement left it that added to its history, read it, and began the next attempt with that. */
export function toBegun(
  histories: ReadHistories,
  known: KnownHistory | undefined,
  {
    chat,
    history: text,
    beside,
    added,
  }: {
    readonly chat: ChatRow;
    readonly history: string | null;
    readonly beside: TextBeside;
    readonly added: readonly StoredMessage[];
  },
): ReadChat {
  const messages = keepHistory(histories, chat, { text, known, beside, added });
  const before = { ...chat, generationAttempt: 0 };
  return { chat: before, messages, attempt: chat.generationAttempt, beside: beside.value };
}

/**
 * What was read beside a chat: the value of before where its text is the same. `version`: null where nothing was
 * read, because it has not changed.
 */
export function toBeside(
  text: string | null,
  version: string | null,
  known: KnownHistory | undefined,
): TextBeside {
  const before = known?.read?.beside;
  if (version === null) {
    assert(before !== undefined, "what has not changed is known");
    return before;
  }
  if (before?.text === text) return { ...before, version };
  return { text, version, value: text === null ? null : (JSON.parse(text) as unknown) };
}

/** Nothing is read beside a chat. */
export const NOTHING_BESIDE: ReadBeside = {
  ...{ name: "nothing", text: "null::json", version: "''::text" },
};

/**
 * An SQL condition over the row `chats`, with the two values of `unchangedValues` from the number `first` on: what
 * was read beside it before would be read again.
 */
export function unchangedText({ version }: ReadBeside, first: number): string {
  return `${version} = $${first} and chats.last_model_config_id = $${first + 1}::uuid`;
}

export function unchangedValues({ chat, beside }: LastRead): readonly TextValue[] {
  return [beside.version, chat.lastModelConfigId];
}
