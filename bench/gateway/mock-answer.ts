/** What a request's `model` asks the mock upstream for. */
export type AnswerShape = {
  /** 0: one JSON answer instead of a stream. */
  readonly chunks: number;
  readonly bytes: number;
  /** 0: all at once. */
  readonly paceMs: number;
  /** Before the first byte. */
  readonly delayMs: number;
};

export function modelOf(shape: Partial<AnswerShape>): string {
  const { chunks = 0, bytes = 200, paceMs = 0, delayMs = 0 } = shape;
  const parts = [`n${chunks}`];
  if (chunks > 0) parts.push(`b${bytes}`, `p${paceMs}`);
  if (delayMs > 0) parts.push(`d${delayMs}`);
  return ["mock", ...parts].join("-");
}

/** Finds it in the beginning of a request's body. */
export function parseModel(text: string): AnswerShape {
  const model = /mock-[a-z0-9-]*/.exec(text)?.[0] ?? "";
  const value = (letter: string, otherwise: number): number =>
    Number(new RegExp(`-${letter}(\\d+)`).exec(model)?.[1] ?? otherwise);
  return {
    chunks: value("n", 0),
    bytes: value("b", 200),
    paceMs: value("p", 0),
    delayMs: value("d", 0),
  };
}
