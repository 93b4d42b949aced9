import assert from "node:assert/strict";
import { test } from "node:test";
import { Secret } from "@atelier/base/secret";
import type { BedrockAccess } from "@atelier/contract/rpc/gateway-ports";
import {
  accessMistake,
  controlAddress,
  credentialHint,
  servingModel,
  signingRegion,
} from "./bedrock-access.ts";

const ACCESS: BedrockAccess = {
  region: null,
  model: "big",
  smallFastModel: "small",
  accessKey: null,
  accessKeySecret: null,
  sessionToken: null,
  bearerToken: null,
  profile: null,
  roleArn: null,
  externalId: null,
  stsEndpoint: null,
};

test("a model named haiku is served by the small one, all others by the big one", () => {
  assert.equal(servingModel(ACCESS, "claude-haiku-4-5"), "small");
  assert.equal(servingModel(ACCESS, "claude-opus-4-7"), "big");
  assert.equal(servingModel(ACCESS, null), "big");
  assert.equal(servingModel({ ...ACCESS, model: "" }, null), null);
});

const HOSTS: readonly [url: string, region: string, control: string][] = [
  ["https://bedrock-runtime.eu-west-1.amazonaws.com", "eu-west-1", "https://bedrock.eu-west-1.amazonaws.com"],
  ["https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1", "https://bedrock-fips.us-gov-west-1.amazonaws.com"],
  ["https://bedrock-runtime.cn-north-1.amazonaws.com.cn", "cn-north-1", "https://bedrock.cn-north-1.amazonaws.com.cn"],
  ["https://vpce-1.bedrock-runtime.eu-west-1.vpce.amazonaws.com", "eu-west-1", "https://bedrock.eu-west-1.amazonaws.com"],
  ["https://bedrock-runtime.evil.example", "us-east-1", "https://bedrock-runtime.evil.example"],
  ["http://127.0.0.1:8080/aws/", "us-east-1", "http://127.0.0.1:8080"],
]; // prettier-ignore

for (const [url, region, control] of HOSTS) {
  test(`${url} is signed for ${region} and administered at ${control}`, () => {
    assert.equal(signingRegion(ACCESS, url), region);
    assert.equal(controlAddress(url, region).origin.origin, control);
  });
}

test("a region that is set counts, whatever the address says", () => {
  const url = "https://bedrock-runtime.eu-west-1.amazonaws.com";
  assert.equal(signingRegion({ ...ACCESS, region: "us-west-2" }, url), "us-west-2");
});

test("a hint names the single credential that serves, if there is one", () => {
  const accessKey = new Secret("AKIA0123456789EXAMPLE");
  assert.equal(credentialHint({ ...ACCESS, accessKey }), "AKIA...MPLE");
  assert.equal(credentialHint({ ...ACCESS, accessKey, roleArn: "arn:x" }), "<aws chain>");
  assert.equal(credentialHint({ ...ACCESS, bearerToken: accessKey }), "AKIA...MPLE");
  assert.equal(credentialHint({ ...ACCESS, profile: "work" }), "<aws chain>");
});

test("secrets count as given, and the first mistake is told", () => {
  assert.equal(accessMistake(ACCESS, "https://x.example"), null);
  assert.equal(accessMistake({ ...ACCESS, accessKey: new Secret("a") }, "https://x.example"), "both access key and access key secret must be provided together"); // prettier-ignore
  assert.equal(accessMistake({ ...ACCESS, model: null, smallFastModel: null }, ""), "region or base url required"); // prettier-ignore
});
