/** The server itself: build, options, API description. */
import { z } from "zod";
import { endpoint } from "../endpoint.ts";
import { NoParams, NoQuery } from "./common.ts";

export const buildInfo = endpoint({
  tag: "deployment",
  summary: "Version of the server and how to reach it",
  method: "GET",
  path: "/api/v2/buildinfo",
  access: "public",
  params: NoParams,
  query: NoQuery,
  body: null,
  success: {
    status: 200,
    body: z.object({
      version: z.string(),
      external_url: z.string(),
      dashboard_url: z.string(),
      deployment_id: z.string(),
    }),
  },
  failures: [],
  audit: null,
});

export const getDeploymentConfig = endpoint({
  tag: "deployment",
  summary: "Every server option with its value and where the value comes from",
  method: "GET",
  path: "/api/v2/deployment/config",
  access: "deployment:read",
  params: NoParams,
  query: NoQuery,
  body: null,
  success: {
    status: 200,
    body: z.object({
      options: z.array(
        z.object({
          name: z.string(),
          group: z.string(),
          description: z.string(),
          /** As text. A secret that is set reads `[secret]`. */
          value: z.string().nullable(),
          source: z.enum(["flag", "environment", "file", "default"]),
        }),
      ),
      count: z.int(),
    }),
  },
  failures: [],
  audit: null,
});
