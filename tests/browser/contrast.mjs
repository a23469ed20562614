// The contrast of every text on a page with what is behind it, by WCAG 2.2, 1.4.3.

/** Runs in the page. Returns the texts of less contrast than this, each in words. */
export function textsBelow(least) {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const channels = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (color) => {
    const [red, green, blue] = channels(color).map((channel) => {
      const part = channel / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const background = (element) => {
    for (let node = element; node; node = node.parentElement) {
      const { backgroundColor } = getComputedStyle(node);
      if (channels(backgroundColor)[3] === 255) {
        return backgroundColor;
      }
    }
    return "white";
  };
  const isText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    // What is disabled is exempt.
    if (!isText(element) || !element.checkVisibility() || element.disabled || element.closest(".unseen")) {
      continue;
    }
    const { color } = getComputedStyle(element);
    const [dark, light] = [luminance(color), luminance(background(element))].sort((a, b) => a - b);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < least) {
      found.push(`'${element.textContent.trim()}': ${color} on ${background(element)} is ${contrast.toFixed(2)}`);
    }
  }
  return found;
}
