// Saves figures and logos as SVG files that stand by themselves.
for (const place of document.querySelectorAll("figure, .card")) {
  const svg = place.querySelector("svg");
  if (!svg) continue;
  const name = svg.dataset.name ?? svg.getAttribute("aria-label");
  const save = Object.assign(document.createElement("button"), { type: "button", className: "save" });
  const of = Object.assign(document.createElement("span"), { className: "hidden-label", textContent: `: ${name}` });
  save.append("Save as SVG", of);
  save.addEventListener("click", () => {
    const copy = svg.cloneNode(true);
    const [, , width, height] = svg.getAttribute("viewBox").split(/[\s,]+/);
    copy.setAttribute("width", width);
    copy.setAttribute("height", height);
    copy.removeAttribute("style");
    const letters = copy.querySelector("use[href^='#logo-']") && document.getElementById("logo-A").closest("defs");
    if (letters) copy.prepend(letters.cloneNode(true));
    saveFile(new XMLSerializer().serializeToString(copy), "image/svg+xml", name, ".svg");
  });
  (place.querySelector("figcaption") ?? place).append(save);
}
