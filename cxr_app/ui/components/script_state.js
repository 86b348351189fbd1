// Whether the page's script is idle, and whether the reader is: at the head of every component.

let missingStateReported = false;

/** Return whether the page's script is idle.
 *
 * A value sent in the middle of a run may be lost; or it still names the page that the run is
 * leaving, and Streamlit then drops what the new page has drawn. If Streamlit ever drops the attribute,
 * that race comes back: the console says so, and the browser tests fail on it. */
const atRest = () => {
  const state = document
    .querySelector("[data-test-script-state]")
    ?.getAttribute("data-test-script-state");
  if (state == null && !missingStateReported) {
    missingStateReported = true;
    console.error(
      "data-test-script-state is missing: Streamlit no longer says whether its script is running.",
    );
  }
  return (state ?? "notRunning") === "notRunning";
};

/** Return whether the reader has used neither key nor pointer for the given number of milliseconds.
 *
 * The script learns of an input a little later, and seems idle between its stop and the next run.
 * @param {number} milliseconds */
const untouched = (milliseconds) =>
  performance.now() - (globalThis.lastTouch ?? -Infinity) >= milliseconds;
