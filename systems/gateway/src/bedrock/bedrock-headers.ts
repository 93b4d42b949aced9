/** The headers of a call (raw pairs) as Amazon Bedrock takes them: what AWS reads itself is ours to say. */

export type BedrockHeaders = {
  readonly kept: string[];
  /** Values of `anthropic-beta`, which goes into the body. */
  readonly betaHeaders: readonly string[];
  /** The caller's own Bedrock API key. Null: the company's credentials serve. */
  readonly ownKey: string | null;
};

/** Said anew, or said in the body. */
const MESSAGES_DROPPED: ReadonlySet<string> = new Set([
  "accept",
  "anthropic-beta",
  "anthropic-version",
  // The body has been read, and is sent as it is.
  "content-encoding",
  "content-type",
]);

export function toBedrockHeaders(
  rawHeaders: readonly string[],
  { isMessages }: { readonly isMessages: boolean },
): BedrockHeaders {
  const kept: string[] = [];
  const betaHeaders: string[] = [];
  let ownKey: string | null = null;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? "";
    const value = rawHeaders[i + 1] ?? "";
    const lower = name.toLowerCase();
    if (lower === "x-api-key") ownKey = value;
    // Bedrock reads its API keys from this header, in whichever one clients send them.
    else if (lower === "authorization") ownKey ??= value.replace(/^Bearer\s+/i, "");
    else if (isMessages && lower === "anthropic-beta") betaHeaders.push(value);
    // A client could otherwise sign in our name, or for another time.
    else if (lower.startsWith("x-amz-")) continue;
    else if (!isMessages || !MESSAGES_DROPPED.has(lower)) kept.push(name, value);
  }
  return { kept, betaHeaders, ownKey };
}
