import assert from "node:assert/strict";
import { test } from "node:test";
import { BlockList } from "node:net";
import { clientAddress } from "./client-address.ts";

const PROXIES = new BlockList();
PROXIES.addSubnet("10.0.0.0", 8, "ipv4");
PROXIES.addSubnet("2001:db8::", 32, "ipv6");
PROXIES.addAddress("192.168.1.1");

for (const { name, peer, header, trusted = PROXIES, address } of [
  {
    name: "a stranger's header is not believed",
    peer: "8.8.8.8",
    header: "1.1.1.1",
    address: "8.8.8.8",
  },
  { name: "a proxy's header is believed", peer: "10.1.2.3", header: "1.1.1.1", address: "1.1.1.1" },
  {
    name: "a mapped address is the same proxy",
    peer: "::ffff:10.1.2.3",
    header: "1.1.1.1",
    address: "1.1.1.1",
  },
  {
    name: "a proxy over IPv6 is believed",
    peer: "2001:db8::1",
    header: "2003::1",
    address: "2003::1",
  },
  {
    name: "a single address can be trusted",
    peer: "192.168.1.1",
    header: "1.1.1.1",
    address: "1.1.1.1",
  },
  {
    name: "proxies behind proxies are skipped",
    peer: "10.0.0.1",
    header: "1.1.1.1, 10.0.0.2",
    address: "1.1.1.1",
  },
  {
    name: "what the client wrote itself is not believed",
    peer: "10.0.0.1",
    header: "6.6.6.6, 1.1.1.1",
    address: "1.1.1.1",
  },
  {
    name: "nonsense ends the walk",
    peer: "10.0.0.1",
    header: "1.1.1.1, what",
    address: "10.0.0.1",
  },
  {
    name: "a proxy without a header counts itself",
    peer: "10.0.0.1",
    header: undefined,
    address: "10.0.0.1",
  },
  {
    name: "without proxies the header never counts",
    peer: "10.0.0.1",
    header: "1.1.1.1",
    trusted: new BlockList(),
    address: "10.0.0.1",
  },
]) {
  test(name, () => {
    assert.equal(clientAddress(peer, header, trusted), address);
  });
}
