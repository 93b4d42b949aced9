/** What must hold of summaries in a chat that rests: each stands once, whole, and is what the model goes on with. */
import type { ToolResultPart } from "@atelier/contract/chat/message-part";
import { readSummary } from "./chat-kills-context.ts";
import type { KillsChat } from "./chat-kills-chat.ts";
import type { ModelCall } from "./chat-kills-model.ts";
import type { ChatRowSeen, ScenarioName } from "./chat-kills-moments.ts";

/** Others have none. */
const SUMMARIES: Partial<Record<ScenarioName, number>> = {
  ...{ summary: 1, limit: 1, limit_message: 1 },
  // The one that was stopped is made when the person writes again.
  interrupt_summary: 1,
};

/** `calls`: of the model, for all chats. */
export function judgeSummaries(
  { key, scenario }: Pick<KillsChat, "key" | "scenario">,
  rows: readonly ChatRowSeen[],
  calls: readonly ModelCall[],
): readonly string[] {
  const wanted = SUMMARIES[scenario] ?? 0;
  const boundaries = rows.filter(isBoundary);
  const counted = rows.filter(({ compressed }) => compressed).length;
  if (boundaries.length !== wanted || counted !== 3 * wanted) {
    return [`it has ${boundaries.length} summaries in ${counted} rows in place of ${wanted}`];
  }
  const last = boundaries.at(-1);
  const serial = last === undefined ? null : (readSummary(firstText(last))?.serial ?? "none");
  const asked = calls.findLast((call) => call.kind === "step" && call.key === `${key}z`);
  if (asked === undefined) {
    const end = rows.slice(-4).map(({ role, content }) => ({ role, content }));
    return [`its model was not asked with its last message: ${JSON.stringify(end)}`];
  }
  return [
    ...boundaries.flatMap((row) => judgeBoundary(rows, row)),
    ...(asked.summary === serial
      ? []
      : [`the model went on with summary ${asked.summary} in place of ${serial}`]),
  ];
}

/** What people are shown of it stands right behind it, and says the same. */
function judgeBoundary(rows: readonly ChatRowSeen[], boundary: ChatRowSeen): readonly string[] {
  const [call, result] = rows.slice(rows.indexOf(boundary) + 1).filter((row) => row.compressed);
  const called = call?.content[0];
  const answered = result?.content[0];
  const isPair =
    called?.type === "tool-call" &&
    answered?.type === "tool-result" &&
    called.tool_call_id === answered.tool_call_id;
  if (!isPair) return ["people are not shown its summary"];
  const shown = summaryOf(answered);
  const isSame = shown !== "" && firstText(boundary).endsWith(shown);
  return isSame ? [] : [`people are shown the summary ${shown} of ${firstText(boundary)}`];
}

function isBoundary({ role, visibility, compressed }: ChatRowSeen): boolean {
  return compressed && role === "user" && visibility === "model";
}

function summaryOf({ result }: ToolResultPart): string {
  const isSummary = typeof result === "object" && result !== null && "summary" in result;
  return isSummary ? String(result.summary) : "";
}

function firstText({ content }: ChatRowSeen): string {
  const [part] = content;
  return part?.type === "text" ? part.text : "";
}
