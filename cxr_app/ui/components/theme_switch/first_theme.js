// Runs before Streamlit reads the theme of this address: dark, unless the reader chose light.
try {
  const chosen = localStorage.getItem("chest-film-triage-theme") === "Light" ? "Light" : "Dark";
  localStorage.setItem(`stActiveTheme-${location.pathname}-v2`, JSON.stringify(chosen));
} catch {
  // A browser that stores nothing follows the computer's setting.
}
