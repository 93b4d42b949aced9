/** Where menus are drawn: inside the page's landmark, so that screen readers know what they belong to. */

export function pageElement(): HTMLElement {
  return document.querySelector("main") ?? document.body;
}
