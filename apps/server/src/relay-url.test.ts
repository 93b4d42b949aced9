import assert from "node:assert/strict";
import { test } from "node:test";
import { relayUrlOf } from "./relay-url.ts";

const address = (text: string, internal: boolean) => ({
  ...{ address: text, internal, family: "IPv4" as const },
  ...{ netmask: "", mac: "", cidr: null },
});

test("other servers reach one address, or of every interface the first that leads outward", () => {
  const interfaces = { lo: [address("127.0.0.1", true)], eth0: [address("10.0.0.5", false)] };
  assert.equal(relayUrlOf({ host: "10.1.1.1", port: 3000 }, interfaces), "http://10.1.1.1:3000");
  for (const host of ["", "0.0.0.0", "::"]) {
    assert.equal(relayUrlOf({ host, port: 3000 }, interfaces), "http://10.0.0.5:3000");
    assert.equal(relayUrlOf({ host, port: 3000 }, {}), "http://127.0.0.1:3000");
  }
});
