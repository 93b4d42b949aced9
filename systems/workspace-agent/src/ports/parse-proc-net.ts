/** Reads Linux's tables of TCP sockets, `/proc/net/tcp` and `/proc/net/tcp6`. */
export type ListeningSocket = {
  readonly port: number;
  readonly address: string;
  /** Which socket it is among those that processes hold. */
  readonly inode: string;
};

const LISTENING = "0A";

export function parseProcNet(table: string): ListeningSocket[] {
  return table
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const fields = line.trim().split(/\s+/);
      const [, local = "", , state] = fields;
      const [address = "", port = ""] = local.split(":");
      if (state !== LISTENING) return [];
      return [{ port: parseInt(port, 16), address: toAddress(address), inode: fields[9] ?? "0" }];
    });
}

/** Words of four bytes in hex, each in the machine's order: little end first on all that we run on. */
function toAddress(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) =>
    (word.match(/../g) ?? []).map((byte) => parseInt(byte, 16)).toReversed(),
  );
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  const isMapped = groups.slice(0, 5).every((group) => group === "0") && groups[5] === "ffff";
  if (isMapped) return bytes.slice(12).join(".");
  return shorten(groups);
}

/** The longest run of zeroes, of two or more, is left out (RFC 5952 §4.2). */
function shorten(groups: readonly string[]): string {
  const runs = [...groups.join(":").matchAll(/(?:^|(?<=:))0(?::0)+(?=:|$)/g)].map(([run]) => run);
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), "");
  const text = groups.join(":");
  if (longest === "") return text;
  const at = text.search(new RegExp(`(?:^|(?<=:))${longest}(?=:|$)`));
  const [before, after] = [text.slice(0, at), text.slice(at + longest.length)];
  return `${before.replace(/:$/, "")}::${after.replace(/^:/, "")}`;
}
