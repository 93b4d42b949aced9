import assert from "node:assert/strict";
import { test } from "node:test";
import { awsSignature, checkAwsSignature } from "./aws-signature-check.ts";

/** The example in AWS's own description of the algorithm. */
const PUBLISHED = {
  method: "GET",
  target: "/?Action=ListUsers&Version=2010-05-08",
  headers: {
    host: "iam.amazonaws.com",
    "content-type": "application/x-www-form-urlencoded; charset=utf-8",
    "x-amz-date": "20150830T123600Z",
  },
  body: new Uint8Array(0),
};
const SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const SIGNATURE = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
const SCOPE = {
  date: "20150830",
  region: "us-east-1",
  service: "iam",
  headers: ["content-type", "host", "x-amz-date"],
};

test("the published example has the published signature", () => {
  assert.equal(awsSignature(PUBLISHED, SECRET, SCOPE), SIGNATURE);
});

test("a signature is wrong as soon as anything signed differs", () => {
  const authorization = `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=${SIGNATURE}`;
  const signed = { ...PUBLISHED, headers: { ...PUBLISHED.headers, authorization } };
  const check = (request: typeof signed, secret = SECRET, token: string | null = null) =>
    checkAwsSignature(request, (id) => (id === "AKIDEXAMPLE" ? { secret, token } : undefined))
      ?.problem;
  assert.equal(check(signed), null);
  assert.equal(check({ ...signed, method: "POST" }), "InvalidSignatureException");
  assert.equal(check({ ...signed, target: "/?Action=ListUsers" }), "InvalidSignatureException");
  assert.equal(check({ ...signed, body: Buffer.from("x") }), "InvalidSignatureException");
  assert.equal(check(signed, "other"), "InvalidSignatureException");
  assert.equal(check(signed, SECRET, "token"), "IncompleteSignatureException");
  assert.equal(
    checkAwsSignature(PUBLISHED, () => undefined),
    null,
  );
});
