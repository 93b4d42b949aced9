/**
 * Colours of series, for light and dark at once. Each has a contrast of 3 and more to the page, and
 * neighbours differ in lightness too, for people who see fewer colours; the order says the same.
 */
import { SERIES_MAX } from "./usage-series.ts";

const COLOURS = [
  "light-dark(#3346c7, #8c9bff)",
  "light-dark(#cf6a10, #f2b36a)",
  "light-dark(#0b5f58, #37b3a4)",
  "light-dark(#c2508f, #f8a9d4)",
  "light-dark(#5f4b00, #c9a227)",
  "light-dark(#2a8fc4, #7fd3fa)",
];
const OTHERS = "light-dark(#868e9c, #6b7688)";

export function colourOf(index: number): string {
  return index < SERIES_MAX ? (COLOURS[index] ?? OTHERS) : OTHERS;
}
