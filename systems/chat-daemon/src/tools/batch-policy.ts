/**
 * Which calls of one answer run at all. A tool that has to be called alone is refused beside others, and
 * they with it; ids that occur twice cannot be told apart, so none of those runs.
 */
export type BatchCall = { readonly toolCallId: string; readonly toolName: string };

/** What a refused call's result says; calls that are missing run. */
export function refusedCalls(
  calls: readonly BatchCall[],
  exclusiveTools: ReadonlySet<string>,
): ReadonlyMap<BatchCall, string> {
  const refused = new Map<BatchCall, string>();
  const exclusive = calls.find(({ toolName }) => exclusiveTools.has(toolName));
  if (exclusive !== undefined && calls.length > 1) {
    for (const call of calls) refused.set(call, exclusiveText(call, exclusive, exclusiveTools));
    return refused;
  }
  const seen = new Map<string, number>();
  for (const { toolCallId } of calls) seen.set(toolCallId, (seen.get(toolCallId) ?? 0) + 1);
  for (const call of calls) {
    if ((seen.get(call.toolCallId) ?? 0) > 1) {
      refused.set(call, "Several calls of this answer have the same id. Make each call again.");
    }
  }
  return refused;
}

function exclusiveText(
  call: BatchCall,
  exclusive: BatchCall,
  exclusiveTools: ReadonlySet<string>,
): string {
  return exclusiveTools.has(call.toolName)
    ? `${call.toolName} must be called alone, without other tools in the same step. Call it again by itself.`
    : `This call was skipped because ${exclusive.toolName} must run alone. Make it again in another step.`;
}
