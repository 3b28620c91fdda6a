// Talking with the server. Every refusal becomes an Error with a Chinese message.

const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 5000;

export class UnknownBuyer extends Error {}

async function answerOf(response) {
  const body = await response.json().catch(() => null);
  if (response.ok && body) return body;
  const message = body?.error ?? `服务器出错了（${response.status}）`;
  throw response.status === 404 ? new UnknownBuyer(message) : new Error(message);
}

/** Do one action and return its answer. */
export async function act(action) {
  let response;
  try {
    response = await fetch("/phone/act", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(action),
    });
  } catch {
    throw new Error("连不上演示服务器");
  }
  return answerOf(response);
}

function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}

/**
 * Call `show(snapshot)` now and after every change, until `signal` aborts. `lost(true)` tells that the server
 * does not answer; then it is asked again, at most every five seconds, for as long as the page is open.
 * Throws UnknownBuyer when the server does not know this buyer (it was started anew).
 */
export async function watch(openid, { signal, show, lost }) {
  let after = -1;
  let retryMs = RETRY_MS_MIN;
  while (!signal.aborted) {
    try {
      const query = new URLSearchParams({ openid, after });
      const answer = await answerOf(await fetch(`/phone/snapshot?${query}`, { signal }));
      if (signal.aborted) return;
      after = answer.change;
      retryMs = RETRY_MS_MIN;
      lost(false);
      show(answer.snapshot);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof UnknownBuyer) throw error;
      lost(true);
      after = -1;
      await pause(retryMs, signal);
      retryMs = Math.min(retryMs * 2, RETRY_MS_MAX);
    }
  }
}
