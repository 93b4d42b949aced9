/** Reads `lsof -F pcn`: a line for each field, its letter first. */
export type LsofSocket = {
  readonly pid: number;
  readonly processName: string;
  readonly address: string;
  readonly port: number;
};

export function parseLsof(output: string): LsofSocket[] {
  const sockets: LsofSocket[] = [];
  let pid = 0;
  let processName = "";
  for (const line of output.split("\n")) {
    const value = line.slice(1);
    if (line.startsWith("p")) pid = Number(value);
    else if (line.startsWith("c")) processName = value;
    else if (line.startsWith("n")) {
      const [, host = "", port = ""] = /^(.*):(\d+)$/.exec(value) ?? [];
      if (port !== "")
        sockets.push({ pid, processName, address: toAddress(host), port: Number(port) });
    }
  }
  return sockets;
}

function toAddress(host: string): string {
  return host === "*" ? "0.0.0.0" : host.replace(/^\[(.*)\]$/, "$1");
}
