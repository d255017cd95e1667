(function () {
  var choice = null;
  try {
    choice = localStorage.getItem("tailrace.theme");
  } catch (e) {
    // Storage may be forbidden; the system's preference is then the only source.
  }
  var dark = choice === "dark" || (choice !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
