/**
 * Closes a JSON object that was cut anywhere in its text.
 *
 * A stream that upstream cut often ends inside an event, and those bytes are already with the client.
 * Completing them is the only way to give its parser something it can read.
 */

/**
 * What to append to `prefix` so that it becomes one JSON object whose last members are `members` (JSON
 * members without braces). Null when `prefix` is not the beginning of an object, or is all of one.
 */
export function completeObject(prefix: Uint8Array, members: string): string | null {
  const text = UTF8.decode(prefix);
  const cut = findCut(text);
  if (cut.open.length === 0 && cut.last !== "") return null;
  const completion = cut.last === "" ? `{${members}}` : closeAt(cut, members);
  return isJson(text + completion) ? completion : null;
}

type Cut = {
  /** The objects and arrays that are open, the outermost first. */
  readonly open: readonly ("{" | "[")[];
  /** The last character that is not white space, outside strings; `"` inside and after a string. */
  readonly last: string;
  /** The same before the last string began. */
  readonly beforeString: string;
  readonly isInString: boolean;
  /** The text of the last string, number or word, as far as it goes. */
  readonly token: string;
};

const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });
const CLOSERS = { "{": "}", "[": "]" } as const;
const WORDS = ["true", "false", "null"];

/** Trusts that `text` is JSON so far: a wrong answer makes no JSON, and that is checked at the end. */
function findCut(text: string): Cut {
  const open: ("{" | "[")[] = [];
  let last = "";
  let beforeString = "";
  let tokenStart = 0;
  let isInString = false;
  for (let i = 0; i < text.length; i += 1) {
    const character = text.charAt(i);
    if (isInString) {
      if (character === "\\") i += 1;
      else if (character === '"') isInString = false;
      continue;
    }
    if (character === " " || character === "\n" || character === "\r" || character === "\t")
      continue;
    if (character === '"') {
      isInString = true;
      beforeString = last;
      tokenStart = i;
    } else if (character === "{" || character === "[") open.push(character);
    else if (character === "}" || character === "]") open.pop();
    else if ("{[,:".includes(last)) tokenStart = i;
    last = character;
  }
  return { open, last, beforeString, isInString, token: text.slice(tokenStart).trimEnd() };
}

function closeAt(cut: Cut, members: string): string {
  const inner = cut.open.slice(1).toReversed();
  const token = closeToken(cut, inner[0] ?? "{", inner.length === 0);
  const mayJoin = inner.length === 0 && (cut.last === "{" || cut.last === ",");
  return `${token}${inner.map((each) => CLOSERS[each]).join("")}${mayJoin ? "" : ","}${members}}`;
}

/** Completes the value or member that the cut left open in its container. */
function closeToken(cut: Cut, container: "{" | "[", isOutermost: boolean): string {
  const isKey = container === "{" && (cut.beforeString === "{" || cut.beforeString === ",");
  switch (cut.last) {
    case '"':
      return (cut.isInString ? closeString(cut.token) : "") + (isKey ? ":null" : "");
    case ":":
      return "null";
    case ",":
      if (container === "[") return "null";
      return isOutermost ? "" : '"":null';
    case "{":
    case "[":
    case "}":
    case "]":
      return "";
    default:
      return closeNumberOrWord(cut.token);
  }
}

function closeString(token: string): string {
  const escape = /(?:^|[^\\])(?:\\\\)*(\\(?:u[\da-fA-F]{0,3})?)$/.exec(token)?.[1];
  if (escape === undefined) return '"';
  return escape === "\\" ? '\\"' : `${"0".repeat(6 - escape.length)}"`;
}

function closeNumberOrWord(token: string): string {
  const word = WORDS.find((each) => each.startsWith(token));
  if (word !== undefined) return word.slice(token.length);
  return /[-+.eE]$/.test(token) ? "0" : "";
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
