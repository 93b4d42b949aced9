/** Starts the dashboard in its page. */
import "./browser/schema-setup.ts";
import "./app.css";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createQueryClient } from "./api/use-endpoint.ts";
import { makeRouter } from "./app/router.tsx";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has the element");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={createQueryClient()}>
      <RouterProvider router={makeRouter()} />
    </QueryClientProvider>
  </StrictMode>,
);
