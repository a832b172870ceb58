// The lesson page beside a provider's room: it says that its person is there, and follows when the room changes.

import { stayPresent } from "./presence.js";

// The button opened the room in another tab; this page goes on as the one that stays.
const form = document.querySelector("form[data-beside]");
form?.addEventListener("submit", () => setTimeout(() => location.reload(), 2500));

const here = document.getElementById("presence");
if (here) {
  const { beat, state, session, every } = here.dataset;
  const look = () => location.reload();
  stayPresent({ url: beat, session, every: Number(every), closed: look });
  let attempt;
  setInterval(async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(state, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const now = await answer.json();
      if (!now.open || (attempt !== undefined && now.attempt !== attempt)) look();
      attempt = now.attempt;
    } catch {
      // The line is weak: the next look comes.
    }
  }, 15000);
}
