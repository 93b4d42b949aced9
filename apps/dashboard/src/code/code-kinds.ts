/** What a part of code can be, and how it is told between the page and its worker. */

export const CODE_KINDS = [
  ...(["comment", "keyword", "string", "number", "title"] as const),
  ...(["type", "attribute", "meta", "added", "removed"] as const),
] as const;
export type CodeKind = (typeof CODE_KINDS)[number];

export type CodeSpan = { readonly from: number; readonly to: number; readonly kind: CodeKind };

export type CodeQuestion = {
  readonly id: number;
  readonly text: string;
  readonly language: string;
};
export type CodeAnswer = { readonly id: number; readonly spans: readonly CodeSpan[] };
