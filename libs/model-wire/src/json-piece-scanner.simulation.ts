/** The scanner of pieces against the scanner of a whole document: equal answers, wherever it is cut. */
import { BytePieces } from "./byte-pieces.ts";
import { scanPieces } from "./json-piece-scanner.ts";
import { scanDocument } from "./json-scanner.ts";
import { SeededDraws } from "./seeded-draws.ts";
import { damage, SIMULATED_NAMES, simulateObject } from "./simulated-inputs.ts";
import { STRING_ENDS } from "./string-ends.ts";

export const title = "JSON scanner of pieces against the one of whole documents";

export type SimulationInput = {
  readonly seed: number;
  readonly runs: number;
  readonly report: (progress: string) => void;
};

/** Rejects at the first difference, with the document and what repeats it. */
export async function simulate({ seed, runs, report }: SimulationInput): Promise<void> {
  const draws = new SeededDraws(seed);
  for (let run = 0; run < runs; run += 1) {
    const document = damage(draws, UTF8.encode(simulateObject(draws)));
    const want = JSON.stringify(toPlain(scanDocument(document, SIMULATED_NAMES)));
    const pieces = cut(draws, document);
    for (const ends of [null, STRING_ENDS]) {
      const got = scanPieces(new BytePieces(pieces), SIMULATED_NAMES, ends);
      if (JSON.stringify(toPlain(got)) === want) continue;
      const shown = JSON.stringify(pieces.map((each) => TEXT.decode(each)));
      throw new Error(`seed ${seed}, run ${run}: differs for ${shown}`);
    }
    if ((run + 1) % REPORT_EVERY === 0) report(`${run + 1} documents`);
    // Lets signals and timers in now and then.
    if ((run + 1) % REPORT_EVERY === 0) await Promise.resolve();
  }
}

const REPORT_EVERY = 1_000_000;
const UTF8 = new TextEncoder();
const TEXT = new TextDecoder("utf-8", { ignoreBOM: true });
const CUTS_MAX = 4;

function cut(draws: SeededDraws, document: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let from = 0;
  for (let left = draws.below(CUTS_MAX + 1); left > 0; left -= 1) {
    const to = from + draws.below(document.length - from + 1);
    pieces.push(document.subarray(from, to));
    from = to;
  }
  return [...pieces, document.subarray(from)];
}

function toPlain(scanned: ReturnType<typeof scanDocument>): unknown {
  return scanned.ok ? [...scanned.value] : scanned.failure;
}
