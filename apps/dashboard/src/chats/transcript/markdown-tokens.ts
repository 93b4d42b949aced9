/** Markdown as tokens. Nothing of it is ever HTML of the page: tags are shown as the text they are. */
import { Lexer, type Token } from "marked";

/** Blocks, in their order. Half of a block, as while it is being written, is a block too. */
export function markdownBlocks(text: string): readonly Token[] {
  return Lexer.lex(text, { gfm: true }).filter(({ type }) => type !== "space" && type !== "def");
}

const PROTOCOLS = /^(?:https?|mailto):/i;

/** Null: it leads nowhere that we follow. */
export function safeHref(href: string): string | null {
  const trimmed = href.trim();
  return PROTOCOLS.test(trimmed) ? trimmed : null;
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00A0",
  hellip: "…",
  mdash: "—",
  ndash: "–",
};

/** Entities as the characters that they stand for. */
export function plainText(text: string): string {
  return text.replaceAll(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w{2,6}));/gi, (whole, ...groups) => {
    const [decimal, hex, name] = groups as (string | undefined)[];
    if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal);
    return code > 0 && code <= 0x10_ff_ff && !(code >= 0xd8_00 && code <= 0xdf_ff)
      ? String.fromCodePoint(code)
      : whole;
  });
}
