// Signs of life: a small message every few seconds, at most one on the way, held back on a weak line and sent later.

const KEPT = 30;

/** Say again and again that this page is open. Calls `online(true|false)` when the line changes, `closed()` when the
 * lesson cannot be attended any more. Returns a function that stops. */
export function stayPresent({ url, session, every, online = () => {}, closed = () => {} }) {
  let number = 0;
  let waiting = [];
  let sending = false;
  let failures = 0;
  let timer = 0;
  let stopped = false;

  const note = (kind) => {
    waiting.push({ n: (number += 1), kind, at: performance.now() });
    waiting = waiting.slice(-KEPT);
  };
  const body = () => {
    const beats = waiting.map(({ n, kind, at }) => ({ n, kind, ago: Math.round((performance.now() - at) / 100) / 10 }));
    return { text: JSON.stringify({ session, beats }), last: number };
  };
  const stop = () => {
    stopped = true;
    clearTimeout(timer);
  };

  const send = async () => {
    if (sending || stopped || !waiting.length) return;
    sending = true;
    const { text, last } = body();
    const limit = new AbortController();
    const patience = setTimeout(() => limit.abort(), 10000);
    try {
      const answer = await fetch(url, {
        method: "POST", body: text, headers: { "Content-Type": "application/json" }, signal: limit.signal,
      });
      if (answer.status === 404 || answer.status === 409) {
        stop();
        closed();
      } else if (answer.ok) {
        waiting = waiting.filter(({ n }) => n > last);
        failures = 0;
        online(true);
      } else throw new Error(String(answer.status));
    } catch {
      failures += 1;
      if (failures > 1) online(false);
    } finally {
      clearTimeout(patience);
      sending = false;
    }
  };

  const again = async () => {
    if (stopped) return;
    // A sign of life is made in time even while the line is down; what could not be sent goes with the next one.
    note("seen");
    await send();
    timer = setTimeout(again, 1000 * every * (0.9 + 0.2 * Math.random()));
  };

  note("joined");
  send();
  timer = setTimeout(again, 1000 * every);

  // Leaving is told on the way out, with all that waits; coming back from the browser's memory joins anew.
  addEventListener("pagehide", () => {
    if (stopped) return;
    note("left");
    navigator.sendBeacon(url, new Blob([body().text], { type: "application/json" }));
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted && !stopped) {
      note("joined");
      send();
    }
  });
  addEventListener("online", send);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && !stopped) {
      note("seen");
      send();
    }
  });
  return stop;
}
