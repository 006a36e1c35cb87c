// Saves a text as a file: the run's name goes before its own.
function saveFile(text, type, name, suffix) {
  const run = document.querySelector("h1").textContent.trim();
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = `${run}.${name}`.replace(/[^\w.+-]+/g, "_").slice(0, 120) + suffix;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
