/**
 * Shows a found part of a text: marked by the browser's own highlights, so that nothing in the page
 * changes, and scrolled to within its frame. Browsers without highlights only scroll.
 */
const NAME = "found";

/** The frame scrolls and holds the text in one piece. Returns what takes the mark away. */
export function showFound(frame: HTMLElement, from: number, length: number): () => void {
  const node = frame.querySelector("code")?.firstChild;
  if (!(node instanceof Text) || from + length > node.data.length) return () => {};
  const range = new Range();
  range.setStart(node, from);
  range.setEnd(node, from + length);
  scrollTo(frame, range.getBoundingClientRect());
  if (!("highlights" in CSS)) return () => {};
  const mark = new Highlight(range);
  // Above what colours the code.
  mark.priority = 1;
  CSS.highlights.set(NAME, mark);
  return () => {
    if (CSS.highlights.get(NAME) === mark) CSS.highlights.delete(NAME);
  };
}

function scrollTo(frame: HTMLElement, found: DOMRect): void {
  const { top, left, height, width } = frame.getBoundingClientRect();
  frame.scrollTop += found.top - top - height / 2;
  if (found.left < left || found.right > left + width) {
    frame.scrollLeft += found.left - left - width / 2;
  }
}
