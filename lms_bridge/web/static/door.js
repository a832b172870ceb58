// The lesson page beside a provider's room: it says that its person is there, and leads the room's tab on when the room
// moves. It changes in place and is not loaded again, since it would lose hold of that tab.

import { stayPresent } from "./presence.js";

const CALM_SECONDS = 8;
const UNEASY_SECONDS = 2;
const STILL_SECONDS = 300;
const COMING_LOOKS = 30;

let keeper = null; // the frame that opens the room's tab
let tab = null; // the room's tab
let away = null; // stops the signs of life
let attempt = null; // of the room that the tab was led to
let wait = 0;
let asking = false;
let blocked = false;
let coming = 0; // how many more looks to take for what the person has just pressed: a full server answers late
const title = document.title;
const beside = () => document.getElementById("beside");

// The tab keeps an opener, or it could not be led on; but the opener is an empty frame. From there the room cannot bring
// this page elsewhere (only its opener itself, which the content policy keeps with us), and it is told no address of ours.
function opener() {
  if (!keeper?.isConnected) {
    keeper = document.createElement("iframe");
    keeper.hidden = true;
    document.body.append(keeper);
  }
  return keeper.contentWindow;
}
function openTab(url, name) {
  const opened = opener().open(url, name);
  if (opened) tab = opened;
  return Boolean(opened);
}

function lead() {
  const { room, name, attempt: now } = beside().dataset;
  if (tab && !tab.closed) tab.location.replace(room);
  else if (tab || blocked || !openTab(room, name)) {
    // Closed by its person, or the browser lets no page open a tab by itself: the button is there.
    blocked = true;
    return;
  }
  attempt = now;
}

/** Fetch the page and put what it says in the place of what is shown. */
async function renew() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  if (answer.redirected) return location.assign(answer.url);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("article.door");
  const shown = document.querySelector("article.door");
  if (!fresh || !shown) return location.reload();
  // Not there yet: the button goes on saying that they are going in.
  if (coming && fresh.querySelector("form[data-beside]") && shown.querySelector("form[data-beside]")) return;
  shown.replaceWith(document.adoptNode(fresh));
  begin();
}

/** What the page has just become. */
function begin() {
  const here = document.getElementById("presence");
  if (here && !away) {
    const { beat, session, every } = here.dataset;
    away = stayPresent({ url: beat, session, every: Number(every), closed: () => { away = null; renew(); } });
  }
  const room = beside();
  document.title = title;
  if (!room) return;
  wait = Math.min(wait, CALM_SECONDS);
  const { attempt: now, entered, ready, textMoved } = room.dataset;
  if (entered === now) coming = 0;
  if (attempt === null) attempt = entered;
  if (attempt === now || ready !== "yes") return;
  document.title = `${textMoved} · ${title}`;
  lead();
}

/** The person has pressed a button that opens the room's tab: look soon, and until it shows here. */
function goingIn() {
  coming = COMING_LOOKS;
  wait = UNEASY_SECONDS;
}

async function look() {
  if (asking || wait > 0) return;
  asking = true;
  const room = beside();
  wait = coming ? UNEASY_SECONDS : room ? CALM_SECONDS : STILL_SECONDS;
  try {
    if (!room || coming) {
      coming = Math.max(0, coming - 1);
      await renew();
    } else {
      const answer = await fetch(room.dataset.stand, { headers: { Accept: "application/json" } });
      if (answer.ok) {
        const now = await answer.json();
        const { attempt: shown, ready } = room.dataset;
        if (now.uneasy || !now.ready) wait = UNEASY_SECONDS;
        if (!now.open || String(now.attempt) !== shown || (now.ready ? "yes" : "no") !== ready) await renew();
      } else if (answer.status === 404) await renew();
    }
  } catch {
    // The line is weak: the next look comes.
  } finally {
    asking = false;
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-beside]");
  if (!form) return;
  if (openTab("", form.dataset.name)) {
    form.removeAttribute("rel");
    form.target = form.dataset.name;
  }
  blocked = false;
  goingIn();
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-into]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const room = beside();
  if (!openTab(link.href, room.dataset.name)) return;
  event.preventDefault();
  blocked = false;
  attempt = room.dataset.attempt;
  goingIn();
});

wait = STILL_SECONDS;
begin();
const clock = document.querySelector("script[data-ticker]").dataset.ticker;
const tick = () => {
  wait -= 1;
  look();
};
try {
  new Worker(clock).addEventListener("message", tick);
} catch {
  setInterval(tick, 1000);
}
