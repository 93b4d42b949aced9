/** How notes are named in a notebook: what they are about, then of which provider. */
const KEY = "key";
const BREAKER = "breaker";

export function keyNotes(providerId: string): string {
  return `${KEY}\n${providerId}\n`;
}

export function breakerNotes(providerId: string): string {
  return `${BREAKER}\n${providerId}\n`;
}

export function kindOfNote(name: string): "key" | "breaker" {
  return name.startsWith(`${KEY}\n`) ? "key" : "breaker";
}
