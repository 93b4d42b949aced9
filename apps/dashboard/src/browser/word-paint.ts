/**
 * Marks changed words in the page by the browser's own highlights: no element is added, so what is copied
 * or read out is the text itself. Browsers without highlights mark nothing; the signs of the lines stay.
 */
export type WordSide = "added" | "removed";

export type MarkedWords = {
  readonly node: Text;
  readonly from: number;
  readonly to: number;
  readonly side: WordSide;
};

const highlights = new Map<WordSide, Highlight>();

/** Returns what takes the marks away. */
export function paintWords(words: readonly MarkedWords[]): () => void {
  if (!("highlights" in CSS)) return () => {};
  const painted = words.map(({ node, from, to, side }) => {
    const range = new StaticRange({
      ...{ startContainer: node, startOffset: from, endContainer: node, endOffset: to },
    });
    const highlight = highlightOf(side);
    highlight.add(range);
    return { highlight, range };
  });
  return () => {
    for (const { highlight, range } of painted) highlight.delete(range);
  };
}

function highlightOf(side: WordSide): Highlight {
  const known = highlights.get(side);
  if (known !== undefined) return known;
  const made = new Highlight();
  CSS.highlights.set(`word-${side}`, made);
  highlights.set(side, made);
  return made;
}
