// The same by the functions of hey-api.
import { submitJob } from "./sdk/index";

const made = await submitJob({
  headers: { "Idempotency-Key": "order-4711" },
  body: {
    account: "main",
    input: "https://media.example/in.mov",
    renditions: [{ packaging: "hls", heights: [240, 360] }],
  },
});
const id: string | undefined = made.data?.id;
console.log(id);
