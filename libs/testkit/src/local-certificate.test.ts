import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { makeLocalCertificate } from "./local-certificate.ts";

test("a certificate is for this machine, signed with its own key, and new each time", () => {
  const { cert, key } = makeLocalCertificate();
  const parsed = new X509Certificate(cert);
  assert.equal(parsed.checkHost("localhost"), "localhost");
  assert.equal(parsed.checkIP("127.0.0.1"), "127.0.0.1");
  assert.equal(parsed.checkHost("example.com"), undefined);
  assert.ok(parsed.verify(parsed.publicKey));
  assert.ok(parsed.checkPrivateKey(createPrivateKey(key)));
  assert.notEqual(makeLocalCertificate().cert, cert);
  const ahead = Date.parse(parsed.validTo) - Date.now();
  assert.ok(0 < ahead && ahead < 2 * 86_400_000);
});
