/** What signed in, in words: browsers say much about themselves, and people know them by two names. */

const PROGRAMS = [
  [/\bEdg\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bFirefox\//, "Firefox"],
  [/Chrom(?:e|ium)\//, "Chrome"],
  [/\bVersion\/.*Safari\//, "Safari"],
  [/^atelier-workspace-agent\//, "Workspace agent"],
  [/^atelier\b/i, "Atelier command line"],
  [/^curl\//, "curl"],
] as const;

const SYSTEMS = [
  [/\bAndroid\b/, "Android"],
  [/\b(?:iPhone|iPad)\b/, "iOS"],
  [/\bMac OS X\b/, "macOS"],
  [/\bWindows\b/, "Windows"],
  [/\bLinux\b/, "Linux"],
] as const;

const LENGTH_MAX = 60;

export function userAgentText(userAgent: string): string {
  if (userAgent === "") return "Unknown program";
  const program = PROGRAMS.find(([pattern]) => pattern.test(userAgent))?.[1];
  const system = SYSTEMS.find(([pattern]) => pattern.test(userAgent))?.[1];
  if (program === undefined) return userAgent.slice(0, LENGTH_MAX);
  return system === undefined ? program : `${program} on ${system}`;
}
