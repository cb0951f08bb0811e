// Entry of zxcvbn.bundle.js. The server calls absahEstimate; in a worker of the
// browser the same file answers messages { id, text, own, year }.
import { estimate } from "./estimate.mjs";

globalThis.absahEstimate = estimate;

if (typeof WorkerGlobalScope !== "undefined" && globalThis instanceof WorkerGlobalScope) {
  globalThis.onmessage = (e) => {
    const { id, text, own, year } = e.data;
    globalThis.postMessage({ id, ...estimate(text, own, year) });
  };
}
