// The guide's minimal submission, and a list, by the types of openapi-typescript.
import createClient from "openapi-fetch";
import type { paths } from "./schema";

const api = createClient<paths>({ baseUrl: process.env["URL"] ?? "" });
const made = await api.POST("/api/v1/jobs", {
  params: { header: { "Idempotency-Key": "order-4711" } },
  body: {
    account: "main",
    input: "https://media.example/in.mov",
    renditions: [{ packaging: "hls", heights: [240, 360] }],
  },
});
const waits: boolean = made.data?.status === "submitting";
const listed = await api.GET("/api/v1/jobs", {
  params: { query: { status: ["failed"], gone: false, created_after: "2d", limit: 10 } },
});
const source: "provider" | "observed" | "estimated" | null | undefined =
  listed.data?.results[0]?.ended_at_source;
console.log(waits, source, made.error);
