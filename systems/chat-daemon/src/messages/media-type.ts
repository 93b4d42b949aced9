/** Of which kind a file is, by what it holds: chats keep a few kinds only. */
const MAGIC: readonly (readonly [string, RegExp])[] = [
  ["image/png", /^\x89PNG\r\n/],
  ["image/jpeg", /^\xff\xd8\xff/],
  ["image/gif", /^GIF8[79]a/],
  ["image/webp", /^RIFF[\s\S]{4}WEBP/],
  ["application/pdf", /^%PDF-/],
];
const TEXT_TYPES: Readonly<Record<string, string>> = {
  json: "application/json",
  csv: "text/csv",
  md: "text/markdown",
  markdown: "text/markdown",
};

/** By what the bytes are, and the name among kinds of text. Null: none of the kinds that chats keep. */
export function mediaTypeOf(name: string, bytes: Uint8Array): string | null {
  const head = Buffer.from(bytes.subarray(0, 16)).toString("latin1");
  const known = MAGIC.find(([, pattern]) => pattern.test(head))?.[0];
  if (known !== undefined) return known;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (text.includes("\0")) return null;
  } catch {
    // Not text.
    return null;
  }
  return TEXT_TYPES[name.slice(name.lastIndexOf(".") + 1).toLowerCase()] ?? "text/plain";
}
