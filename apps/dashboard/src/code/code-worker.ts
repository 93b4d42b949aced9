/** Beside the page, so that no key waits for it: says what the parts of code are. */
import type { CodeAnswer, CodeQuestion } from "./code-kinds.ts";
import { codeSpans } from "./code-spans.ts";

globalThis.addEventListener("message", ({ data }: MessageEvent<CodeQuestion>) => {
  const { id, text, language } = data;
  const answer: CodeAnswer = { id, spans: codeSpans(text, language) };
  globalThis.postMessage(answer);
});
