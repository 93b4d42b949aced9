/** What people type into the address bar of a preview. */

/** An address of this origin: whatever is typed, it leads nowhere else. */
export function previewAddress(origin: string, typed: string): string {
  const text = typed.trim();
  // Somebody pasted the whole address, or what the program itself printed.
  const path = text.replace(/^[a-z]+:\/\/[^/?#]*/i, "");
  const url = URL.parse(path.startsWith("/") ? path : `/${path}`, origin);
  return url === null || url.origin !== new URL(origin).origin ? `${origin}/` : url.href;
}

/** How the address bar shows it. */
export function previewPath(address: string): string {
  const { pathname, search, hash } = new URL(address);
  return pathname + search + hash;
}
