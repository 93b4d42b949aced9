/** Where other servers reach this one, as long as nobody says it. */
import { formatAddress } from "@atelier/host/option-value";
import type { Address } from "@atelier/host/option";
import { networkInterfaces, type NetworkInterfaceInfo } from "node:os";

/** Of a server that listens at `address`. */
export function relayUrlOf(
  address: Address,
  interfaces: Readonly<
    Record<string, readonly NetworkInterfaceInfo[] | undefined>
  > = networkInterfaces(),
): string {
  const isEveryInterface = ["", "0.0.0.0", "::"].includes(address.host);
  const host = isEveryInterface ? firstAddress(interfaces) : address.host;
  return `http://${formatAddress({ ...address, host })}`;
}

function firstAddress(
  interfaces: Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>,
): string {
  const outward = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === "IPv4" && !internal);
  return outward?.address ?? "127.0.0.1";
}
