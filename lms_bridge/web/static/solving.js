// How a week is being solved, in numbers, once a second; when it is over the page is loaded again. Without this script
// the page loads itself again every few seconds.

const run = document.querySelector("[data-progress]");
const bar = run.querySelector("progress");
const values = run.querySelectorAll(".stat-value");

function write(element, text) {
  if (element.textContent !== String(text)) element.textContent = text;
}

function showCosts(items) {
  const rows = run.querySelectorAll("[data-costs] tbody tr");
  // A table appears, and changes its rows, by loading the page's own part: words and labels are the server's.
  if (rows.length !== items.length) return fetchCosts();
  items.forEach((item, n) => {
    const [words, count, cost] = rows[n].cells;
    write(words, item.words);
    write(count, item.count);
    write(cost, item.cost);
  });
}

async function fetchCosts() {
  const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
  const fresh = page.querySelector("[data-costs]");
  if (fresh) run.querySelector("[data-costs]").replaceWith(fresh);
}

async function look() {
  try {
    const answer = await fetch(run.dataset.progress, { headers: { Accept: "application/json" } });
    if (answer.ok) {
      const said = await answer.json();
      if (!said.working) return location.reload();
      write(run.querySelector("[data-stage]"), said.stage);
      write(run.querySelector("[data-numbers]"), said.numbers);
      if (said.wanted) {
        bar.max = said.wanted;
        bar.value = said.placed;
      }
      write(values[0], said.seconds);
      write(values[1], said.cost ?? "–");
      await showCosts(said.items);
    }
  } catch {
    // The line is weak: keep what is shown and try again.
  }
  setTimeout(look, 1000);
}

setTimeout(look, 500);
