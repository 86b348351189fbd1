// A word that this browser keeps from one visit to the next: told to the server once, at first.

const told = new WeakSet(); // where Streamlit mounts us, once the server knows

const kept = (name) => {
  try {
    return localStorage.getItem(name) ?? "";
  } catch {
    return ""; // a browser that keeps nothing
  }
};

const keep = (name, word) => {
  try {
    localStorage.setItem(name, word);
  } catch {
    // it is asked for again at the next visit
  }
};

/** Wait until the page's script rests: an answer in the middle of the first drawing names no page yet,
 * Streamlit takes it for a wish to go to the first one, and what has been drawn is dropped. */
function atRest(then) {
  const timer = setInterval(() => {
    const state = document.querySelector("[data-test-script-state]")?.dataset.testScriptState;
    if (state && state !== "notRunning") return;
    clearInterval(timer);
    then();
  }, 100);
}

/** Streamlit calls this at first and whenever the word changes. */
export default function ({ data: { name, word }, parentElement, setTriggerValue }) {
  if (word) keep(name, word);
  else if (!told.has(parentElement)) {
    told.add(parentElement);
    atRest(() => setTriggerValue("kept", { word: kept(name) }));
  }
}
