// What pages inside an LMS's frame need beyond forms: to see whether the browser keeps anything for us there, to use the
// storage of the LMS where it does not (LTI Client Side postMessages), to send a form on, to tell the LMS that we are done,
// to be loaded again.

const WAIT = 2000;

// The LMS's frame that keeps values. Asked across origins for a name that none of its frames has, browsers throw.
function frameNamed(name) {
  if (name === "_parent") return parent;
  try {
    return parent.frames[name] || parent;
  } catch {
    return parent;
  }
}

// Ask the LMS's storage. The answer counts only from the LMS's own origin and for our own question.
function ask(frame, origin, question) {
  const target = frameNamed(frame);
  const id = crypto.getRandomValues(new Uint32Array(4)).join("-");
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("no answer")), WAIT);
    addEventListener("message", function listen(event) {
      const data = event.data;
      if (event.origin !== origin || typeof data !== "object" || data?.message_id !== id) return;
      if (data.subject !== `${question.subject}.response`) return;
      clearTimeout(timer);
      removeEventListener("message", listen);
      if (data.error) reject(new Error("refused"));
      else resolve(data.value);
    });
    target.postMessage({ ...question, message_id: id }, origin);
  });
}

function keepsCookies() {
  document.cookie = "lti_try=1; Path=/lti; SameSite=None; Secure; Partitioned";
  const kept = document.cookie.includes("lti_try=1");
  document.cookie = "lti_try=; Path=/lti; Max-Age=0; SameSite=None; Secure; Partitioned";
  return kept;
}

async function begin(page) {
  const { url, storage, origin, key, value } = page.dataset;
  const offerWindow = page.querySelector("[data-window]");
  const [waiting, opened] = ["[data-waiting]", "[data-opened]"].map((name) => page.querySelector(name));
  offerWindow.hidden = true;
  offerWindow.addEventListener("submit", () => setTimeout(() => {
    offerWindow.hidden = true;
    opened.hidden = false;
    opened.focus();
  }));
  opened.querySelector("button").addEventListener("click", () => offerWindow.requestSubmit());
  if (window.top === window || keepsCookies()) return location.replace(url);
  if (storage) {
    try {
      await ask(storage, origin, { subject: "lti.put_data", key, value });
      return location.replace(url);
    } catch {
      // The LMS keeps nothing either: a window of our own is left.
    }
  }
  waiting.hidden = true;
  offerWindow.hidden = false;
}

async function comeBack(form) {
  const { storage, origin, key } = form.dataset;
  try {
    form.elements.browser.value = await ask(storage, origin, { subject: "lti.get_data", key });
  } catch {
    // Sent empty: the answer says in words what to do.
  }
  form.submit();
}

const login = document.querySelector("[data-lti-login]");
if (login) begin(login);

const storage = document.querySelector("[data-lti-storage]");
if (storage) comeBack(storage);

// A page that came as the answer to the LMS's form: loaded again it must not send that form again.
const page = document.querySelector("[data-lti-address]");
if (page) history.replaceState(null, "", page.dataset.ltiAddress);

document.querySelector("[data-lti-send]")?.submit();

if (document.querySelector("[data-lti-close]")) {
  (window.opener || parent).postMessage({ subject: "org.imsglobal.lti.close" }, "*");
}

const again = document.querySelector("[data-lti-again]");
if (again) setTimeout(() => again.submit(), (Number(again.dataset.ltiAgain) + 1) * 1000);
