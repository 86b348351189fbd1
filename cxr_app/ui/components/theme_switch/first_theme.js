// Before Streamlit looks which theme was chosen at this address: dark, unless a reader wants light.
try {
  const chosen = localStorage.getItem("chest-film-triage-theme") === "Light" ? "Light" : "Dark";
  localStorage.setItem(`stActiveTheme-${location.pathname}-v2`, JSON.stringify(chosen));
} catch {
  // A browser that keeps nothing follows the computer's setting.
}
